//! Carries out effects by calling `ops`, each in a task of its own; the answers come back as messages.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::console::app::effect::{Effect, ExportWhat};
use crate::console::app::message::{Answer, Msg, SettingsRead};
use crate::console::app::model::{Engine, OrgSummary, TestReport};
use crate::console::event_loop::{FRAME, World};
use crate::domain::command::RunRequest;
use crate::domain::forget::Forgotten;
use crate::domain::mapping::Mapping;
use crate::domain::plan::saved::PlanHead;
use crate::domain::report::{ConflictQuery, ConflictRow};
use crate::domain::scope::ScopeChange;
use crate::ops::browser_sign_in::{self, Stage};
use crate::ops::conflicts::{Holds, Resolved, Wish};
use crate::ops::engine::{EngineClient, Place};
use crate::ops::error::OpError;
use crate::ops::export::{Form, Sink};
use crate::ops::issues::IssueForm;
use crate::ops::session::Session;
use crate::ops::{
    check, conflicts, default_mappings, describe, directory, engine, issues, look, members, objects, plan,
    read, rehearse, sample, save_settings, scope, secrets, test_connection,
};
use crate::workspace::problems::Severity;
use crate::workspace::settings::Settings;

/// Runs on a page.
const RUNS: usize = 50;
/// Records of a change of scope that are named.
const MEMBERS: usize = 200;
/// Rows of an export that are read at once.
const EXPORT_PAGE: usize = 1_000;

/// The world behind a workspace.
pub struct Workshop {
    session: Session,
    engine: Arc<Mutex<Option<EngineClient>>>,
    /// Told when nobody waits for the rehearsal any more.
    left: Arc<Notify>,
    /// The sign-in by browser that waits.
    sign_in: Arc<Mutex<Option<Waiter>>>,
}

/// How a sign-in by browser is reached that waits.
struct Waiter {
    /// Ends it.
    stop: CancellationToken,
    /// Takes what was pasted.
    pasted: UnboundedSender<String>,
}

impl Workshop {
    /// The world of an opened workspace.
    pub fn new(session: Session) -> Self {
        Self { session, engine: Arc::default(), left: Arc::default(), sign_in: Arc::default() }
    }
}

impl World for Workshop {
    fn perform(&mut self, effect: Effect, answers: &UnboundedSender<Msg>) {
        let task = Task {
            session: self.session.clone(),
            engine: Arc::clone(&self.engine),
            left: Arc::clone(&self.left),
            sign_in: Arc::clone(&self.sign_in),
            answers: answers.clone(),
        };
        tokio::spawn(task.run(effect));
    }

    async fn close(&mut self) {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(engine) = engine {
            engine.close().await;
        }
    }
}

struct Task {
    session: Session,
    engine: Arc<Mutex<Option<EngineClient>>>,
    left: Arc<Notify>,
    sign_in: Arc<Mutex<Option<Waiter>>>,
    answers: UnboundedSender<Msg>,
}

fn sentence<T>(result: Result<T, OpError>) -> Answer<T> {
    result.map_err(|error| error.message)
}

impl Task {
    /// Tells an answer. If nobody listens any more the console is gone, and the answer with it.
    fn tell(&self, message: Msg) {
        let _ = self.answers.send(message);
    }

    /// Rehearses until that is done or nobody waits for it; whatever was copied goes with the future.
    async fn rehearse(&self, draft: &Settings) {
        let (told, mut heard) = watch::channel(String::new());
        let wanted = rehearse::Wanted::default();
        let rehearsing = rehearse::rehearse(&self.session, draft, &wanted, &told);
        tokio::pin!(rehearsing);
        loop {
            tokio::select! {
                done = &mut rehearsing => return self.tell(Msg::Rehearsed(sentence(done).map(Box::new))),
                () = self.left.notified() => return,
                Ok(()) = heard.changed() => {
                    let step = heard.borrow_and_update().clone();
                    self.tell(Msg::Rehearsing(step));
                }
            }
        }
    }

    /// Signs in by browser until that is done or nobody waits for it; the port is given back either way.
    async fn sign_in(&self, settings: &Settings, typed: &[(secrets::SecretName, secrecy::SecretString)]) {
        let (stop, (sender, pasted)) = (CancellationToken::new(), unbounded_channel());
        let waiter = Waiter { stop: stop.clone(), pasted: sender };
        *self.sign_in.lock().unwrap_or_else(PoisonError::into_inner) = Some(waiter);
        let attempt = match browser_sign_in::begin(&self.session, settings, typed).await {
            Ok(attempt) => attempt,
            Err(error) => return self.tell(Msg::SignedIn(Err(error.message))),
        };
        let (address, callback) = (attempt.address.clone(), attempt.callback.clone());
        self.tell(Msg::SignInBegun { address, callback, until: attempt.until });
        let (told, mut heard) = watch::channel(Stage::Waiting);
        let finished = attempt.finish(pasted, &told);
        tokio::pin!(finished);
        loop {
            tokio::select! {
                done = &mut finished => return self.tell(Msg::SignedIn(sentence(done))),
                () = stop.cancelled() => return,
                Ok(()) = heard.changed() => {
                    let stage = heard.borrow_and_update().clone();
                    self.tell(Msg::SignInStage(stage));
                }
            }
        }
    }

    async fn run(self, effect: Effect) {
        let session = &self.session;
        match effect {
            Effect::Save { part, settings, secrets: typed } => {
                if !typed.is_empty() && self.needs_passphrase().await {
                    let again = Effect::Save { part, settings, secrets: typed };
                    self.tell(Msg::PassphraseNeeded(Box::new(again)));
                    return;
                }
                let answer = save_settings::save(session, *settings, typed).await;
                self.tell(match answer {
                    Ok(problems) if problems.iter().any(|problem| problem.severity == Severity::Error) => {
                        Msg::SaveRefused(part, problems)
                    }
                    Ok(problems) => Msg::Saved(
                        part,
                        Ok(Box::new(SettingsRead { settings: session.settings(), problems })),
                    ),
                    Err(error) => Msg::Saved(part, Err(error.message)),
                });
            }
            Effect::ReadSettings => {
                let answer = sentence(session.reload()).map(|()| {
                    Box::new(SettingsRead { settings: session.settings(), problems: session.problems() })
                });
                self.tell(Msg::Settings(answer));
            }
            Effect::SecretPlaces => match secrets::states(session).await {
                Ok(places) => {
                    let places = places.into_iter().map(|(name, place)| (name, place.into())).collect();
                    self.tell(Msg::SecretPlaces(places));
                }
                Err(error) => self.tell(Msg::Said(error.message)),
            },
            Effect::Test { side, settings, typed } => {
                if self.needs_passphrase().await && self.has_stored_secrets().await {
                    self.tell(Msg::PassphraseNeeded(Box::new(Effect::Test { side, settings, typed })));
                    return;
                }
                let test = test_connection::test(session, side, &settings, &typed).await;
                let report = TestReport {
                    passed: test.passed,
                    lines: test.lines,
                    owners: test.owners,
                    api_budget: test.org.as_ref().and_then(|org| org.api_budget),
                    org: test.org.map(|org| OrgSummary {
                        id: org.id,
                        name: org.name,
                        edition: org.edition,
                        sandbox: org.sandbox,
                        user: org.user,
                    }),
                };
                self.tell(Msg::Tested(side, Ok(report)));
            }
            Effect::SignIn { settings, typed } => {
                if self.needs_passphrase().await {
                    self.tell(Msg::PassphraseNeeded(Box::new(Effect::SignIn { settings, typed })));
                    return;
                }
                self.sign_in(&settings, &typed).await;
            }
            Effect::SignInPasted(text) => {
                if let Some(waiter) = &*self.sign_in.lock().unwrap_or_else(PoisonError::into_inner) {
                    // Where it is over meanwhile, nobody wants it.
                    let _ = waiter.pasted.send(text);
                }
            }
            Effect::StopSignIn => {
                if let Some(waiter) = self.sign_in.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    waiter.stop.cancel();
                }
            }
            Effect::OpenBrowser(address) => {
                let opened = browser_sign_in::show(&address).await;
                self.tell(Msg::BrowserOpened(opened));
            }
            Effect::Unlock { passphrase, then } => match secrets::unlock(session, passphrase).await {
                Ok(()) => {
                    self.tell(Msg::VaultOpened);
                    Box::pin(self.run(*then)).await;
                }
                Err(error) => self.tell(Msg::VaultStaysShut(error.message, then)),
            },
            Effect::Unlocked => {
                let found = crate::ops::unlocked(session);
                self.tell(Msg::Unlocked(found));
            }
            Effect::MakeObjects => {
                let answer = sentence(objects::create_and_tell(session).await);
                self.tell(Msg::Checked(answer));
            }
            Effect::Check => {
                let answer = sentence(check::check(session).await).map(|report| report.lines);
                self.tell(Msg::Checked(answer));
            }
            Effect::Describe { side, object } => {
                let answer = sentence(describe::object(session, side, &object).await);
                let answer = answer.map(|schema| schema.as_ref().clone());
                self.tell(Msg::Described { side, object, answer });
            }
            Effect::ListNames(of) => {
                let answer = sentence(directory::all(session, &of.object, &of.kinds).await);
                self.tell(Msg::NamesListed(of, answer));
            }
            Effect::ListObjects => {
                let answer = sentence(look::org_objects(session).await);
                self.tell(Msg::ObjectsListed(answer));
            }
            Effect::Sample { side, object } => {
                let answer = sentence(look::samples(session, side, &object).await);
                self.tell(Msg::Sampled { side, object, answer });
            }
            Effect::Pull { mapping, wanted } => {
                let answer = sentence(sample::pull(session, &mapping, wanted.as_deref()).await);
                self.tell(Msg::Pulled(mapping.name, answer.map(Box::new)));
            }
            Effect::CountMembers(counting) => {
                let criteria = counting.criteria.as_deref();
                let answer =
                    sentence(members::count(session, counting.side, &counting.object, criteria).await);
                self.tell(Msg::Counted(counting, answer));
            }
            Effect::ForgetDescriptions => describe::forget(session),
            Effect::Propose => {
                let answer = sentence(default_mappings::propose(session).await);
                self.tell(Msg::Proposed(answer));
            }
            Effect::LookAtScope(changed) => {
                let answer = sentence(self.scope(&changed).await);
                self.tell(Msg::Scope(answer));
            }
            Effect::Rehearse(draft) => {
                if self.needs_passphrase().await && self.has_stored_secrets().await {
                    self.tell(Msg::PassphraseNeeded(Box::new(Effect::Rehearse(draft))));
                    return;
                }
                self.rehearse(&draft).await;
            }
            Effect::StopRehearsal => self.left.notify_waiters(),
            Effect::Attach => self.attach().await,
            Effect::Ask(command) => {
                let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let answer = match engine {
                    Some(engine) => sentence(engine.ask(command.clone()).await),
                    None => Err(crate::console::view::text::sync::ENGINE_LOOKING.to_owned()),
                };
                self.tell(Msg::Replied(command, answer));
            }
            Effect::ReadStatus => {
                let answer = sentence(read::status(session).await).map(Box::new);
                self.tell(Msg::Status(answer));
            }
            Effect::ReadRuns { before } => {
                let answer = sentence(read::runs(session, before, RUNS).await);
                self.tell(Msg::Runs { before, answer });
            }
            Effect::ReadIssueGroups => {
                let answer = sentence(read::issue_groups_with(session, read::Snoozed::Shown).await);
                self.tell(Msg::IssueGroups(answer));
            }
            Effect::ReadIssues(query) => {
                let answer = sentence(read::issues(session, query).await);
                self.tell(Msg::Issues(answer));
            }
            Effect::ReadIssueForm(issue) => {
                let answer = sentence(issues::form(session, issue).await).map(Box::new);
                self.tell(Msg::IssueForm(answer));
            }
            Effect::Mend { form, place, values } => {
                let answer = self.mend(&form, place, &values).await;
                self.tell(Msg::Mended(answer));
            }
            Effect::ReadConflicts => {
                let answer = sentence(conflicts::all(session, &ConflictQuery::default()).await);
                self.tell(Msg::Conflicts(answer));
            }
            Effect::Resolve { rows, wish, holds } => {
                let answer = self.resolve(&rows, &wish, holds).await;
                self.tell(Msg::Resolved(answer));
            }
            Effect::ReadLog { query, purpose, generation } => {
                let answer = sentence(read::log(session, query).await);
                self.tell(Msg::Log { purpose, generation, answer });
            }
            Effect::ReadHistory(query) => {
                let answer = sentence(read::history(session, query).await);
                self.tell(Msg::History(answer));
            }
            Effect::PreviewUndo(run) => {
                let answer = sentence(crate::ops::undo::preview(session, run).await);
                self.tell(Msg::UndoPreview(answer));
            }
            Effect::ReadUndoPage(run) => {
                let answer = sentence(crate::ops::undo::page(session, run).await);
                self.tell(Msg::UndoPage { run, answer });
            }
            Effect::MakePlan(request) => {
                let answer = self.plan(request).await.map(Box::new);
                self.tell(Msg::Planned(answer));
            }
            Effect::ReadPlan { plan: number, query, after, generation } => {
                let page = crate::console::app::sync::plan_act::PAGE;
                let answer = sentence(plan::lines(session, number, &query, after, page).await);
                self.tell(Msg::PlanLines { generation, after, answer });
            }
            Effect::Forget { object, id } => {
                let answer = self.forget(&object, &id).await;
                self.tell(Msg::Forgotten(answer));
            }
            Effect::ReadWhy(query) => {
                let answer = sentence(crate::ops::why::why(session, query).await);
                self.tell(Msg::Why(answer));
            }
            Effect::Export(what) => {
                let answer = sentence(self.export(what).await);
                self.tell(Msg::Exported(answer.map(|path| path.display().to_string())));
            }
            // These are the event loop's own.
            Effect::Copy(_) | Effect::Theme(_) | Effect::Mouse(_) | Effect::Suspend | Effect::Quit(_) => {}
        }
    }

    async fn scope(&self, changed: &[(Mapping, Mapping)]) -> Result<Vec<ScopeChange>, OpError> {
        let mut found = Vec::new();
        for (before, after) in changed {
            found.extend(scope::look(&self.session, before, after, MEMBERS).await?);
        }
        Ok(found)
    }

    /// Has a plan made and waits for it.
    async fn plan(&self, request: RunRequest) -> Answer<PlanHead> {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(engine) = engine else {
            return Err(crate::console::view::text::sync::ENGINE_LOOKING.to_owned());
        };
        let before = engine.reports().borrow().clone();
        sentence(plan::begin(&engine, plan::instead_of(request, None)).await)?;
        let report = sentence(plan::made(&engine, before).await)?;
        match report.plan {
            Some(number) => sentence(plan::find(&self.session, &number.to_string()).await),
            None => Err(report.message.unwrap_or_else(|| "No plan was made.".into())),
        }
    }

    async fn forget(&self, object: &str, id: &str) -> Answer<Forgotten> {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(engine) = engine else {
            return Err(crate::console::view::text::sync::ENGINE_LOOKING.to_owned());
        };
        sentence(crate::ops::forget::forget(&self.session, &engine, object, id).await)
    }

    async fn mend(&self, form: &IssueForm, place: usize, values: &[String]) -> Answer<Option<i64>> {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(engine) = engine else {
            return Err(crate::console::view::text::sync::ENGINE_LOOKING.to_owned());
        };
        sentence(issues::mend(&self.session, &engine, form, place, values, &conflicts::author()).await)
    }

    async fn resolve(&self, rows: &[ConflictRow], wish: &Wish, holds: Holds) -> Answer<Resolved> {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(engine) = engine else {
            return Err(crate::console::view::text::sync::ENGINE_LOOKING.to_owned());
        };
        let sorted = conflicts::sort(&self.session.settings(), rows, wish, holds, &conflicts::author());
        sentence(conflicts::resolve(&self.session, &engine, sorted).await)
    }

    async fn needs_passphrase(&self) -> bool {
        secrets::needs_passphrase(&self.session).await.unwrap_or(false)
    }

    async fn has_stored_secrets(&self) -> bool {
        let states = secrets::states(&self.session).await.unwrap_or_default();
        states.iter().any(|(_, place)| *place == secrets::SecretPlace::Vault)
    }

    /// Finds the engine and hands on its numbers, at most one set a frame, until it is gone; then looks for another one.
    async fn attach(&self) {
        loop {
            let client = match engine::attach(&self.session).await {
                Ok(client) => client,
                Err(error) => {
                    self.tell(Msg::Engine(Engine::Unavailable(error.message)));
                    return;
                }
            };
            *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
            self.tell(Msg::Engine(match client.place() {
                Place::InProcess => Engine::Here,
                Place::Socket { .. } => Engine::Elsewhere,
            }));
            let mut progress = client.progress();
            drop(client);
            let first = progress.borrow_and_update().clone();
            self.tell(Msg::Progress(Box::new(first)));
            while progress.changed().await.is_ok() {
                let numbers = progress.borrow_and_update().clone();
                self.tell(Msg::Progress(Box::new(numbers)));
                self.session.clock().sleep(FRAME).await;
            }
            // The console itself gives the engine up when it ends; then there is nobody to attach for.
            if self.engine.lock().unwrap_or_else(PoisonError::into_inner).take().is_none() {
                return;
            }
            self.tell(Msg::Engine(Engine::Looking));
        }
    }

    async fn export(&self, what: ExportWhat) -> Result<PathBuf, OpError> {
        let stamp = self.session.clock().now().format("%Y%m%d-%H%M%S");
        let (name, form) = match &what {
            ExportWhat::Log(_) => (format!("log-{stamp}.jsonl"), Form::JsonLines),
            ExportWhat::Issues(_) => (format!("issues-{stamp}.csv"), Form::Csv),
        };
        let path = self.session.folder().join(name);
        let mut sink = Sink::open(Some(&path), form)?;
        match what {
            ExportWhat::Log(mut query) => {
                query.limit = EXPORT_PAGE;
                loop {
                    let page = read::log(&self.session, query.clone()).await?;
                    let next = page.iter().map(|row| row.sequence).min();
                    let full = page.len() == EXPORT_PAGE;
                    sink.facts(&page)?;
                    query.before = next;
                    if !full || next.is_none() {
                        break;
                    }
                }
            }
            ExportWhat::Issues(mut query) => {
                query.limit = EXPORT_PAGE;
                loop {
                    let page = read::issues(&self.session, query.clone()).await?;
                    let next = page.iter().map(|row| row.issue).max();
                    let full = page.len() == EXPORT_PAGE;
                    sink.issues(&page)?;
                    query.after = next;
                    if !full || next.is_none() {
                        break;
                    }
                }
            }
        }
        sink.finish()?;
        Ok(path)
    }
}
