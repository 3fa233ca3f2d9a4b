//! What the engine's host runs: binds settings, secrets, connections and the state database to a run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use crate::connect::budget::Budget;
use crate::connect::platform::Platform;
use crate::connect::salesforce::Salesforce;
use crate::domain::by_hand::ByHand;
use crate::domain::command::{Acceptance, ReadAgain, Reply, RunReport, RunRequest};
use crate::domain::hold::{Hold, Priority};
use crate::domain::mapping::{DefaultValue, Mapping};
use crate::domain::outcome::{Counts, RunKind, RunResult};
use crate::domain::plan::saved::{PlanDeed, PlanOrder};
use crate::domain::port::Endpoint;
use crate::domain::progress::Progress;
use crate::domain::record::RecordId;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::engine::context::{Brakes, Control, EngineOptions, RunContext};
use crate::engine::handle::Runner;
use crate::engine::handle::schedule::{QuietHours, Schedule};
use crate::engine::matching::rebuild::{self, Rebuilt};
use crate::engine::prepare::fingerprint;
use crate::engine::references::referring;
use crate::ops::connections;
use crate::ops::deactivate;
use crate::ops::error::{OpClass, OpError, sentence};
use crate::ops::notes::StoreNotes;
use crate::ops::pushing::Pushing;
use crate::ops::run::{self, examine};
use crate::ops::session::Session;
use crate::ops::tempo::Tempo;
use crate::ops::{read_again, secrets, unequal, webhooks};
use crate::store::facts::{self, NewFact};
use crate::store::{
    Store, StoreError, audit, decisions, drift, forget, issues, links, mappings, pending, requeue, runs,
};
use crate::workspace::private_file;
use crate::workspace::settings::{self, PlatformKind, Settings, SyncSettings};

/// Under which name the state database keeps the org's descriptions.
const ORG_SCHEMAS: &str = "org_schemas";

/// Under which name it keeps the platform that its links lead to.
const PLATFORM: &str = "platform";

/// How often the API budget is looked at during a run.
const BUDGET_PERIOD: Duration = Duration::from_millis(500);

/// Both sides, and the org that was found behind them.
#[derive(Clone)]
struct Connected {
    endpoints: PerSide<Arc<dyn Endpoint>>,
    org: Arc<Salesforce>,
    platform: Arc<dyn Platform>,
    org_id: Option<String>,
    /// Whether the org is a sandbox, where it was asked.
    sandbox: Option<bool>,
}

impl Connected {
    fn budgets(&self) -> [&Budget; 2] {
        [self.org.budget(), self.platform.budget()]
    }
}

/// Runs for one workspace.
pub(crate) struct WorkspaceRunner {
    session: Session,
    store: Mutex<Option<Store>>,
    /// Kept from run to run, so that sign-ins and descriptions are; dropped when the settings are read again.
    connected: Mutex<Option<Connected>>,
    /// When each side's changes were last read, for the intervals of the directions.
    last_read: Mutex<PerSide<Option<DateTime<Utc>>>>,
    /// When each mapping last took part, for those that have an interval of their own.
    tempo: Tempo,
    begun: DateTime<Utc>,
}

impl WorkspaceRunner {
    pub(crate) fn new(session: Session) -> Self {
        let begun = session.clock().now();
        Self {
            session,
            store: Mutex::new(None),
            connected: Mutex::new(None),
            last_read: Mutex::default(),
            tempo: Tempo::default(),
            begun,
        }
    }

    /// When the changes of a side are to be read next: at once where they never were since the start, else after its interval.
    fn due(&self, schedule: &settings::Schedule, side: Side) -> DateTime<Utc> {
        let last = self.last_read.lock().unwrap_or_else(PoisonError::into_inner)[side];
        let every = TimeDelta::from_std(schedule.every_from(side).duration()).unwrap_or(TimeDelta::days(1));
        last.unwrap_or(self.begun) + every
    }

    /// An automatic run that reads one side alone, where the other's interval is not over yet (F12, F14).
    fn half(&self) -> Option<RunRequest> {
        let schedule = self.session.settings().schedule;
        if !schedule.differs() {
            return None;
        }
        // Somewhat early is as good as due, or the two would never meet again.
        let soon = self.session.clock().now() + TimeDelta::seconds(5);
        let due: Vec<Side> =
            Side::BOTH.into_iter().filter(|side| self.due(&schedule, *side) <= soon).collect();
        match due.as_slice() {
            [only] => Some(RunRequest { reads: Some(*only), ..RunRequest::new(RunKind::Automatic) }),
            _ => None,
        }
    }

    /// An automatic run of a part: of one side, or of the mappings whose interval is over.
    fn part(&self) -> Option<RunRequest> {
        let half = self.half();
        let soon = self.session.clock().now() + TimeDelta::seconds(5);
        match self.tempo.part(&self.session.settings().mappings, soon) {
            None => half,
            Some(mappings) => {
                let whole = RunRequest::new(RunKind::Automatic);
                Some(RunRequest { mappings, ..half.unwrap_or(whole) })
            }
        }
    }

    async fn audit_due(&self) -> Option<RunRequest> {
        let every = self.session.settings().audit.every.duration()?;
        let store = self.store().await.ok()?;
        let at = store.write(audit::due_since).await.ok()??;
        let due = at + TimeDelta::from_std(every).ok()?;
        (due <= self.session.clock().now()).then(|| RunRequest::new(RunKind::Audit))
    }

    /// Remembers when each side was read, or something else was done in its place.
    fn has_read(&self, request: &RunRequest) {
        let now = self.session.clock().now();
        self.tempo.note(&self.session.settings().mappings, request, now);
        let mut last = self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        for side in Side::BOTH {
            if request.reads.is_none_or(|only| only == side) {
                last[side] = Some(now);
            }
        }
    }

    async fn store(&self) -> Result<Store, OpError> {
        if let Some(store) = self.store.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(store);
        }
        let path = self.session.workspace().state_db.clone();
        let opened = tokio::task::spawn_blocking(move || {
            // SQLite gives its other files the rights of this one.
            private_file::open_or_create(&path).map_err(|error| StoreError::Unusable(error.to_string()))?;
            Store::open(&path)
        })
        .await;
        let store = match opened {
            Ok(store) => store?,
            Err(error) => {
                return Err(OpError::failed(format!("The state database could not be opened: {error}.")));
            }
        };
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = Some(store.clone());
        Ok(store)
    }

    async fn connected(&self, settings: &Settings) -> Result<Connected, OpError> {
        if let Some(connected) = self.connected.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(connected);
        }
        let mut known = secrets::read(&self.session, settings, Side::Org, &[]).await?;
        let around = self.session.surroundings();
        let org = connections::salesforce(settings, &known, &around)?;
        known = secrets::read(&self.session, settings, Side::Platform, &[]).await?;
        let platform = connections::platform(settings, &known, &around)?;
        // The connection itself refuses any other org than the pinned one.
        let (org_id, sandbox) = if let Some(pinned) = &settings.salesforce.org_id {
            (Some(pinned.clone()), None)
        } else {
            let identity = org.identity().await?;
            (Some(identity.org_id.to_string()), Some(identity.is_sandbox))
        };
        let org = Arc::new(org);
        let endpoints = PerSide {
            org: Arc::clone(&org) as Arc<dyn Endpoint>,
            platform: Arc::clone(&platform) as Arc<dyn Endpoint>,
        };
        let connected = Connected { endpoints, org, platform, org_id, sandbox };
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = Some(connected.clone());
        Ok(connected)
    }

    /// The org behind the connection, signed in; nothing of the state is touched.
    pub(crate) async fn org(&self) -> Result<Option<String>, OpError> {
        examine(&self.session, &RunRequest::new(RunKind::Heal))?;
        Ok(self.connected(&self.session.settings()).await?.org_id)
    }

    /// Finds the links again in a new database, whose org is pinned first.
    pub(crate) async fn rebuild(&self, pin: Option<String>) -> Result<Rebuilt, OpError> {
        let store = self.store().await?;
        if let Some(org) = pin {
            store.write(move |db| mappings::remember(db, "org", &org)).await?;
        }
        let progress = watch::Sender::new(Progress::default());
        let request = RunRequest::new(RunKind::Heal);
        let context = self.prepare(&store, &request, &Control::new(), &progress).await?;
        store.write(|db| mappings::remember(db, rebuild::UNDER_WAY, "yes")).await?;
        let rebuilt = rebuild::rebuild(&context)
            .await
            .map_err(|end| OpError::new(OpClass::of_result(end.result), sentence(&end.message)))?;
        store.write(|db| mappings::remember(db, rebuild::UNDER_WAY, "")).await?;
        self.keep_schemas(&store).await;
        Ok(rebuilt)
    }

    async fn prepare(
        &self,
        store: &Store,
        request: &RunRequest,
        control: &Control,
        progress: &watch::Sender<Progress>,
    ) -> Result<RunContext, OpError> {
        examine(&self.session, request)?;
        let settings = self.session.settings();
        pin_platform(store, settings.platform.kind).await?;
        let connected = self.connected(&settings).await?;
        connected.platform.lend(Arc::new(StoreNotes::new(store.clone(), Arc::clone(self.session.clock()))));
        for budget in connected.budgets() {
            budget.set_priority(Priority::of(request.kind));
        }
        recall_schemas(store, &connected.org).await?;
        if request.kind != RunKind::Audit && !request.only_plans() {
            self.refuse_unequal(store, &connected, &settings).await?;
        }
        let mappings = run_mappings(&settings);
        let mut endpoints = connected.endpoints.clone();
        if let Some(order) = &request.push
            && let Some(mapping) = mappings.iter().find(|mapping| mapping.name == order.mapping)
        {
            endpoints.platform = Pushing::over(endpoints.platform, &mapping.platform_object, order);
            let (name, now) = (order.mapping.clone(), self.session.clock().now());
            let ids: Vec<RecordId> = order.records.iter().map(|record| record.id.clone()).collect();
            store.write(move |db| pending::put_pushed(db, &name, &ids, now)).await?;
        }
        if let Some(order) = &request.hints {
            webhooks::keep(store, &mappings, order, self.session.clock().now()).await?;
        }
        Ok(RunContext {
            store: store.clone(),
            // A plan looks references up in its own rehearsal of the state.
            endpoints: if request.only_plans() {
                endpoints
            } else {
                let newest = match request.plan {
                    // What it links itself was not there when its lines were planned.
                    Some(PlanOrder::Apply { .. }) => Some(store.write(links::newest).await?),
                    Some(PlanOrder::Make { .. }) | None => None,
                };
                referring(&endpoints, &mappings, store, newest)
            },
            mappings,
            options: EngineOptions {
                brakes: brakes(&settings.sync),
                retention_days: settings.history.retention_days,
                reread_percent_per_day: settings.audit.reread_percent_per_day.into(),
                ..EngineOptions::default()
            },
            clock: Arc::clone(self.session.clock()),
            seed: self.session.clock().now().timestamp_micros().unsigned_abs(),
            control: control.clone(),
            progress: progress.clone(),
            org_id: connected.org_id,
        })
    }

    /// A sandbox joined to a live account, or the reverse, is written only once a person has typed the workspace's name (law E17).
    async fn refuse_unequal(
        &self,
        store: &Store,
        connected: &Connected,
        settings: &Settings,
    ) -> Result<(), OpError> {
        let Some(org) = connected.org_id.clone() else { return Ok(()) };
        if [true, false].into_iter().all(|sandbox| unequal::what(settings, sandbox).is_none()) {
            // Whatever the org is, the account is the same; so it is not asked.
            return Ok(());
        }
        let kept = store.write(|db| mappings::remembered(db, unequal::ORG_KIND)).await?;
        let sandbox =
            match (kept.as_deref().and_then(|kept| unequal::kept_kind(kept, &org)), connected.sandbox) {
                (Some(kept), _) => kept,
                (None, asked) => {
                    let sandbox = match asked {
                        Some(sandbox) => sandbox,
                        None => connected.org.identity().await?.is_sandbox,
                    };
                    let kind = unequal::keep_kind(&org, sandbox);
                    store.write(move |db| mappings::remember(db, unequal::ORG_KIND, &kind)).await?;
                    sandbox
                }
            };
        let Some(what) = unequal::what(settings, sandbox) else { return Ok(()) };
        let join = unequal::join(settings, &org, what);
        let confirmed = store.write(|db| mappings::remembered(db, unequal::CONFIRMED)).await?;
        if confirmed.is_some_and(|confirmed| confirmed == join) {
            return Ok(());
        }
        Err(unequal::refusal(what, &self.session.name(), settings.platform.kind))
    }

    /// The org's API budget is told by its replies; whoever watches the numbers sees it move.
    async fn run_and_watch_the_budget(&self, context: &RunContext, request: &RunRequest) -> RunReport {
        let org = self.connected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let tell = || {
            let budget = org.as_ref().and_then(|connected| connected.org.api_budget());
            context.progress.send_if_modified(|progress| {
                let moved = budget.is_some() && progress.api_budget != budget;
                if moved {
                    progress.api_budget = budget;
                }
                moved
            });
        };
        let run = crate::engine::run::run(context, request);
        tokio::pin!(run);
        loop {
            tokio::select! {
                report = &mut run => {
                    tell();
                    return report;
                }
                () = context.clock.sleep(BUDGET_PERIOD) => tell(),
            }
        }
    }

    /// Keeps the org's descriptions for the next process, so that its first run needs no call to read them again.
    async fn keep_schemas(&self, store: &Store) {
        let connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(text) =
            connected.and_then(|connected| serde_json::to_string(&connected.org.schema_cache()).ok())
        else {
            return;
        };
        if let Err(error) = store.write(move |db| mappings::remember(db, ORG_SCHEMAS, &text)).await {
            tracing::warn!(%error, "The org's descriptions could not be kept.");
        }
    }

    /// Other workspaces see at once what a run has used.
    fn settle_budgets(&self) {
        let now = self.session.clock().now();
        if let Some(connected) = &*self.connected.lock().unwrap_or_else(PoisonError::into_inner) {
            for budget in connected.budgets() {
                budget.settle(now);
            }
        }
    }

    /// A run that could not even begin is a run all the same: it stands in the list, with its reason.
    async fn record(
        &self,
        store: &Store,
        request: &RunRequest,
        error: &OpError,
        progress: &watch::Sender<Progress>,
    ) -> Result<i64, StoreError> {
        let now = self.session.clock().now();
        let (kind, names, message) = (request.told_as(), request.mappings.clone(), error.message.clone());
        let result = result_of(error.class);
        let (run, sequence) = store
            .write(move |db| {
                let run = runs::begin(db, kind, &names, None, "", now)?;
                runs::finish(db, run, result, Some(&message), &Counts::default(), now)?;
                let fact =
                    NewFact::new(Level::Error, Some(run), format!("The run could not begin: {message}"));
                Ok((run, facts::insert(db, now, &fact)?))
            })
            .await?;
        progress.send_modify(|progress| {
            progress.run = Some(run);
            progress.facts = sequence;
        });
        Ok(run)
    }
}

#[async_trait]
impl Runner for WorkspaceRunner {
    async fn run(
        &self,
        request: &RunRequest,
        control: &Control,
        progress: &watch::Sender<Progress>,
    ) -> RunReport {
        let unable = |run: i64, error: &OpError| RunReport {
            run,
            kind: request.told_as(),
            result: result_of(error.class),
            message: Some(error.message.clone()),
            counts: Counts::default(),
            milliseconds: 0,
            settings: error.class == OpClass::Settings,
            plan: None,
        };
        let store = match self.store().await {
            Ok(store) => store,
            Err(error) => {
                self.has_read(request);
                return unable(0, &error);
            }
        };
        let report = match self.prepare(&store, request, control, progress).await {
            Ok(context) => {
                let request = &run::with_side_effects(&self.session, request);
                let report = self.run_and_watch_the_budget(&context, request).await;
                self.keep_schemas(&store).await;
                self.settle_budgets();
                report
            }
            Err(error) if request.only_plans() => unable(0, &error),
            Err(error) => match self.record(&store, request, &error, progress).await {
                Ok(run) => unable(run, &error),
                Err(full) => unable(0, &full.into()),
            },
        };
        // A run that could not begin is not tried again at once either.
        self.has_read(request);
        report
    }

    fn schedule(&self) -> Schedule {
        let settings = self.session.settings();
        let (schedule, now) = (settings.schedule, self.session.clock().now());
        let waits = self.tempo.wait(&settings.mappings, now).to_std().unwrap_or_default();
        let left = Side::BOTH.map(|side| (self.due(&schedule, side) - now).to_std().unwrap_or_default());
        let [org, platform] = left;
        Schedule {
            automatic: schedule.automatic,
            every: org.min(platform).max(waits),
            quiet: schedule.quiet.map(|quiet| QuietHours { from: quiet.from, until: quiet.until }),
        }
    }

    fn hold(&self, kind: RunKind) -> Option<Hold> {
        let now = self.session.clock().now();
        let connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let holds = connected.budgets().map(|budget| budget.hold(Priority::of(kind), now));
        holds.into_iter().flatten().max_by_key(|hold| hold.until)
    }

    async fn instead(&self) -> Option<RunRequest> {
        match self.audit_due().await {
            Some(audit) => Some(audit),
            None => self.part(),
        }
    }

    async fn reload(&self) -> Result<(), String> {
        self.session.reload().map_err(|error| error.message)?;
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    async fn snooze(&self, issues: &[i64], until: Option<DateTime<Utc>>) -> Result<u64, String> {
        let store = self.store().await.map_err(|error| error.message)?;
        let issues = issues.to_vec();
        store
            .write(move |db| issues::snooze(db, &issues, until))
            .await
            .map_err(|error| OpError::from(error).message)
    }

    async fn keep(&self, by_hand: ByHand) -> Result<u64, String> {
        let store = self.store().await.map_err(|error| error.message)?;
        let now = self.session.clock().now();
        store
            .write(move |db| decisions::keep(db, &by_hand, now))
            .await
            .map_err(|error| OpError::from(error).message)
    }

    async fn requeue(&self, issues: &[i64]) -> Result<u64, String> {
        let store = self.store().await.map_err(|error| error.message)?;
        let (issues, now) = (issues.to_vec(), self.session.clock().now());
        store
            .write(move |db| requeue::requeue(db, &issues, now))
            .await
            .map_err(|error| OpError::from(error).message)
    }

    async fn accept(&self, names: &[String], what: Acceptance) -> Result<(), String> {
        let store = self.store().await.map_err(|error| error.message)?;
        let settings = self.session.settings();
        if let Some(unknown) = names.iter().find(|name| settings.mapping(name).is_none()) {
            return Err(format!("There is no mapping “{unknown}”."));
        }
        let wanted: Vec<Mapping> = run_mappings(&settings)
            .into_iter()
            .filter(|mapping| {
                names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(&mapping.name))
            })
            .collect();
        let now = self.session.clock().now();
        store
            .write(move |db| {
                for mapping in &wanted {
                    if what != Acceptance::Drift {
                        let fingerprint = fingerprint(std::slice::from_ref(mapping));
                        mappings::accept(db, &mapping.name, &fingerprint)?;
                    }
                    if what != Acceptance::Settings {
                        let ended = drift::accept(db, mapping, now)?;
                        if ended > 0 {
                            let said = format!(
                                "A person accepted what both sides say of their fields now ({ended})."
                            );
                            let fact = NewFact::new(Level::Info, None, said).of_mapping(&mapping.name);
                            facts::insert(db, now, &fact)?;
                        }
                    }
                }
                Ok(())
            })
            .await
            .map_err(|error| OpError::from(error).message)
    }

    async fn plans(&self, deed: &PlanDeed) -> Result<Reply, String> {
        let store = self.store().await.map_err(|error| error.message)?;
        crate::ops::plan::keeping::done(&store, deed).await.map_err(|error| error.message)
    }

    async fn confirm(&self, name: &str) -> Result<(), String> {
        let ours = self.session.name();
        if name.trim() != ours {
            return Err(format!(
                "This workspace is called “{ours}”, not “{}”; nothing was confirmed.",
                name.trim()
            ));
        }
        let settings = self.session.settings();
        let known = self.connected(&settings).await.map_err(|error| error.message)?;
        let Some(org) = known.org_id.clone() else { return Err("The org is not known yet.".into()) };
        let store = self.store().await.map_err(|error| error.message)?;
        let sandbox = match known.sandbox {
            Some(sandbox) => sandbox,
            None => known.org.identity().await.map_err(|error| OpError::from(error).message)?.is_sandbox,
        };
        let Some(what) = unequal::what(&settings, sandbox) else { return Ok(()) };
        let (join, now) = (unequal::join(&settings, &org, what), self.session.clock().now());
        store
            .write(move |db| {
                mappings::remember(db, unequal::CONFIRMED, &join)?;
                let said = format!("A person confirmed by the workspace's name that this joins a {what}.");
                facts::insert(db, now, &NewFact::new(Level::Warn, None, said)).map(drop)
            })
            .await
            .map_err(|error| OpError::from(error).message)
    }

    async fn obstacle_to_automatic(&self) -> Option<String> {
        run::unread(&self.session, &[]).await.ok().flatten().map(|error| error.message)
    }

    async fn deactivate(&self, object: &str, id: &str) -> Result<(), String> {
        let settings = self.session.settings();
        let store = self.store().await.map_err(|error| error.message)?;
        let connected = self.connected(&settings).await.map_err(|error| error.message)?;
        let Some(profile) = settings.platform.kind.profile() else {
            return Err("The platform's profile is damaged: reinstall forcesync.".into());
        };
        let now = self.session.clock().now();
        let platform = connected.endpoints.platform.as_ref();
        deactivate::carry_out(&store, platform, profile, &settings.mappings, (object, id), now).await
    }

    async fn read_again(&self, wanted: &ReadAgain) -> Result<Reply, String> {
        examine(&self.session, &RunRequest::new(RunKind::Instant)).map_err(|error| error.message)?;
        let settings = self.session.settings();
        let store = self.store().await.map_err(|error| error.message)?;
        let connected = self.connected(&settings).await.map_err(|error| error.message)?;
        let now = self.session.clock().now();
        let feeds =
            read_again::carry_out(&store, &connected.endpoints, &settings.mappings, wanted, now).await?;
        Ok(Reply::Moved { feeds })
    }

    async fn forget(&self, object: &str, id: &str) -> Result<Reply, String> {
        let store = self.store().await.map_err(|error| error.message)?;
        let (name, number, now) = (object.to_owned(), id.to_owned(), self.session.clock().now());
        let outcome = store
            .erase(move |db| forget::forget(db, &name, &number, now))
            .await
            .map_err(|error| OpError::from(error).message)?;
        match outcome {
            forget::Outcome::Done(erased, texts) => Ok(Reply::Forgotten { erased, texts }),
            forget::Outcome::OnItsWay => Err(
                "A write of this record was interrupted and has to be looked up first: do a run, then try again."
                    .into(),
            ),
            forget::Outcome::Unknown => {
                Err(format!("No mapping that ever ran here has an object “{object}”, so nothing is known of it."))
            }
        }
    }
}

/// Links lead to the records of one platform; with another one behind the same workspace nothing may be written (law E17).
async fn pin_platform(store: &Store, kind: PlatformKind) -> Result<(), OpError> {
    let pinned = store.write(|db| mappings::remembered(db, PLATFORM)).await?;
    match pinned {
        Some(pinned) if pinned != kind.word() => Err(OpError::new(
            OpClass::Blocked,
            format!(
                "The records of this workspace are linked with {pinned}, but its settings now name {kind}; nothing was written. Go \
                 back to {pinned}, or make a new workspace for {kind}."
            ),
        )),
        Some(_) => Ok(()),
        None => Ok(store.write(move |db| mappings::remember(db, PLATFORM, kind.word())).await?),
    }
}

/// Gives a new connection the descriptions that an earlier process kept; the org is asked whether they changed.
async fn recall_schemas(store: &Store, org: &Salesforce) -> Result<(), OpError> {
    if !org.schema_cache().is_empty() {
        return Ok(());
    }
    let kept = store.write(|db| mappings::remembered(db, ORG_SCHEMAS)).await?;
    // What an older version kept is simply read again.
    if let Some(kept) = kept.and_then(|text| serde_json::from_str(&text).ok()) {
        org.preload_schemas(kept);
    }
    Ok(())
}

fn result_of(class: OpClass) -> RunResult {
    match class {
        OpClass::Failed | OpClass::Settings | OpClass::Busy => RunResult::Failed,
        OpClass::Limited => RunResult::Limited,
        OpClass::Braked => RunResult::Braked,
        OpClass::Blocked => RunResult::Blocked,
        OpClass::Cancelled => RunResult::Cancelled,
    }
}

fn brakes(sync: &SyncSettings) -> Brakes {
    Brakes {
        create_percent: sync.create_percent.into(),
        update_percent: sync.update_percent.into(),
        blank_percent: sync.blank_percent.into(),
        delete_percent: sync.delete_percent.into(),
        opt_out_percent: sync.opt_out_percent.into(),
        minimum: sync.minimum.into(),
    }
}

/// The mappings of the settings, in which contacts made in the org are put under the account that the admin named (F50).
pub(crate) fn run_mappings(settings: &Settings) -> Vec<Mapping> {
    let mut mappings = settings.mappings.clone();
    let of_salesmanago = settings.platform.kind == PlatformKind::SALESMANAGO;
    if let Some(account) = settings.platform.salesmanago.account_id.as_ref().filter(|_| of_salesmanago) {
        for mapping in &mut mappings {
            let has_own = |mapping: &Mapping| {
                mapping.default.iter().any(|default| default.field.eq_ignore_ascii_case("AccountId"))
                    || mapping
                        .pairs
                        .iter()
                        .any(|pair| pair.org.iter().any(|field| field.eq_ignore_ascii_case("AccountId")))
            };
            if mapping.org_object.eq_ignore_ascii_case("Contact") && !has_own(mapping) {
                mapping.default.push(DefaultValue {
                    side: Side::Org,
                    field: "AccountId".into(),
                    value: account.clone(),
                });
            }
        }
    }
    mappings
}
