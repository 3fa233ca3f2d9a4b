//! Which way a piece of work costs less: many calls of a few rows each, or one job that takes all of them (N5).
//!
//! Pure: rates and thresholds go in, calls and seconds come out. Calls are the dear thing, because their number a day is limited and
//! shared with everybody; waiting counts too. [`Rates::call_worth`] says how many seconds a call may save.

use std::time::Duration;

use crate::domain::grouped::grouped;
use crate::domain::side::PerSide;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Read records from the start of an object.
    Read,
    /// Write records, and read them back.
    Write,
    /// Delete records.
    Delete,
}

/// A piece of work on one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// What is to be done.
    pub task: Task,
    /// With how many rows.
    pub rows: u64,
}

/// By which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One call after another.
    Calls,
    /// A job of the service.
    Job,
}

/// What one way costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Calls of the API; questions after a job are an upper bound.
    pub calls: u64,
    /// How long it takes.
    pub time: Duration,
}

/// Both ways, and the one that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is to be done.
    pub work: Workload,
    /// The way that is taken.
    pub way: Way,
    /// What calls cost.
    pub calls: Forecast,
    /// What a job costs.
    pub job: Forecast,
}

/// When jobs are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jobs {
    /// Where they cost less.
    #[default]
    ByCost,
    /// From the threshold on, whatever they cost.
    Always,
    /// Never.
    Never,
}

/// What things cost at a service, and from where on jobs come into question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// When jobs are used.
    pub jobs: Jobs,
    /// Fewer rows never make a job.
    pub from: u64,
    /// How long a person would rather wait than spend one call more.
    pub call_worth: Duration,
    /// One call there and back, without the work on its rows.
    pub call: Duration,
    /// Rows on one page of a read.
    pub page_rows: u64,
    /// Rows in one call that writes.
    pub write_rows: u64,
    /// Rows in one call that reads back what a job wrote.
    pub read_back_rows: u64,
    /// Calls that write at once.
    pub parallel: u64,
    /// Rows a second that one read after another brings.
    pub read_rate: f64,
    /// Rows a second that one call writes.
    pub write_rate: f64,
    /// How long a job takes whatever its size.
    pub job_start: Duration,
    /// Rows a second that come out of a job.
    pub job_read_rate: f64,
    /// Rows a second that a job writes.
    pub job_write_rate: f64,
    /// Rows on one page of a job's results.
    pub job_page_rows: u64,
    /// Most rows in one job that writes.
    pub job_rows: u64,
    /// The first pause between two questions after a job; they grow to [`Rates::longest_pause`].
    pub first_pause: Duration,
    /// The longest of these pauses.
    pub longest_pause: Duration,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            jobs: Jobs::ByCost,
            from: 2_000,
            call_worth: Duration::from_secs(1),
            call: Duration::from_millis(250),
            page_rows: 2_000,
            write_rows: 200,
            read_back_rows: 2_000,
            parallel: 3,
            read_rate: 6_000.0,
            write_rate: 200.0,
            job_start: Duration::from_secs(8),
            job_read_rate: 15_000.0,
            job_write_rate: 1_500.0,
            job_page_rows: 50_000,
            job_rows: 10_000,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// The pause before the `asked`th question after a job: half as long again each time.
pub fn pause_before(rates: &Rates, asked: u32) -> Duration {
    rates.first_pause.mul_f64(1.5_f64.powi(asked.min(40) as i32)).min(rates.longest_pause)
}

/// How many questions a job of that length takes at most.
pub fn questions(rates: &Rates, job: Duration) -> u64 {
    let mut waited = Duration::ZERO;
    let mut asked = 0;
    loop {
        waited += pause_before(rates, asked);
        asked += 1;
        if waited >= job || asked >= 10_000 || rates.first_pause.is_zero() {
            return u64::from(asked);
        }
    }
}

/// Chooses the way for a piece of work.
pub fn choose(rates: &Rates, work: Workload) -> Choice {
    let (calls, job) = (by_calls(rates, work), by_job(rates, work));
    let taken = match rates.jobs {
        Jobs::Never => false,
        Jobs::Always => work.rows >= rates.from,
        Jobs::ByCost => work.rows >= rates.from && weight(rates, job) < weight(rates, calls),
    };
    Choice { work, way: if taken { Way::Job } else { Way::Calls }, calls, job }
}

/// Time, and calls as the time that they are worth.
fn weight(rates: &Rates, forecast: Forecast) -> f64 {
    forecast.time.as_secs_f64() + rates.call_worth.as_secs_f64() * forecast.calls as f64
}

fn by_calls(rates: &Rates, work: Workload) -> Forecast {
    let (rows_a_call, rate, lanes) = match work.task {
        Task::Read => (rates.page_rows, rates.read_rate, 1),
        Task::Write | Task::Delete => (rates.write_rows, rates.write_rate, rates.parallel.max(1)),
    };
    // Also the question that finds nothing.
    let calls = work.rows.div_ceil(rows_a_call.max(1)).max(1);
    let alone = rates.call.as_secs_f64() * calls as f64 + seconds(work.rows, rate);
    Forecast { calls, time: time(alone / lanes.min(calls) as f64) }
}

fn by_job(rates: &Rates, work: Workload) -> Forecast {
    match work.task {
        Task::Read => {
            // The first page is read by a call, because it tells how much there is.
            let rows = work.rows.saturating_sub(rates.page_rows);
            let pages = rows.div_ceil(rates.job_page_rows.max(1)).max(1);
            let at_work = rates.job_start.as_secs_f64() + seconds(rows, rates.job_read_rate * 4.0);
            let links = if pages > 2 { pages.div_ceil(5) } else { 0 };
            // Begun, asked after, its pages, and deleted.
            let calls = 1 + 1 + questions(rates, time(at_work)) + links + pages + 1;
            let moving =
                seconds(rows, rates.job_read_rate) + rates.call.as_secs_f64() * (pages + links) as f64;
            Forecast { calls, time: time(at_work + moving) }
        }
        Task::Write | Task::Delete => {
            let jobs = work.rows.div_ceil(rates.job_rows.max(1)).max(1);
            let at_work =
                rates.job_start.as_secs_f64() * jobs as f64 + seconds(work.rows, rates.job_write_rate);
            let asked = questions(rates, time(at_work / jobs as f64)) * jobs;
            let back = match work.task {
                Task::Write => work.rows.div_ceil(rates.read_back_rows.max(1)),
                Task::Read | Task::Delete => 0,
            };
            // Made, filled, begun, its rows done and refused, and deleted.
            let around = 6 * jobs;
            let moving = rates.call.as_secs_f64() * (around + back) as f64;
            Forecast { calls: around + asked + back, time: time(at_work + moving) }
        }
    }
}

fn seconds(rows: u64, rate: f64) -> f64 {
    if rate > 0.0 { rows as f64 / rate } else { 0.0 }
}

fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

impl Choice {
    /// The cost of the way that is taken.
    pub fn forecast(&self) -> Forecast {
        match self.way {
            Way::Calls => self.calls,
            Way::Job => self.job,
        }
    }

    /// A sentence for the log and the plan: the way, and what each costs.
    pub fn sentence(&self, object: &str) -> String {
        let rows = grouped(self.work.rows);
        let what = match self.work.task {
            Task::Read => "read",
            Task::Write => "written",
            Task::Delete => "deleted",
        };
        let (way, other) = match self.way {
            Way::Job => ("a bulk job", format!("by single calls {}", told(self.calls))),
            Way::Calls => ("single calls", format!("by a bulk job {}", told(self.job))),
        };
        format!("{object}: {rows} records are {what} by {way}, {}; {other}.", told(self.forecast()))
    }
}

/// Org objects of which one call tells that nothing changed.
const OBJECTS_A_CALL: u64 = 5;

/// Calls a day on either side while nothing changes: each run asks the org once for up to five objects, and the platform once for
/// each of its objects.
pub fn idle_calls_a_day(every: PerSide<Duration>, objects: PerSide<u64>) -> PerSide<u64> {
    let runs = every.map(|every| 86_400 / every.as_secs().max(1));
    PerSide {
        org: runs.org * objects.org.div_ceil(OBJECTS_A_CALL),
        platform: runs.platform * objects.platform,
    }
}

fn told(forecast: Forecast) -> String {
    let seconds = forecast.time.as_secs_f64().ceil() as u64;
    let time = match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    };
    let calls =
        if forecast.calls == 1 { "1 call".into() } else { format!("{} calls", grouped(forecast.calls)) };
    format!("about {calls} and {time}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_page(Task::Read, 2_000, Way::Calls)]
    #[case::a_few_pages(Task::Read, 10_000, Way::Calls)]
    #[case::many_pages(Task::Read, 60_000, Way::Job)]
    #[case::a_million(Task::Read, 1_000_000, Way::Job)]
    #[case::a_batch(Task::Write, 200, Way::Calls)]
    #[case::under_the_threshold(Task::Write, 1_999, Way::Calls)]
    #[case::many_rows(Task::Write, 5_000, Way::Job)]
    #[case::a_million_rows(Task::Write, 1_000_000, Way::Job)]
    #[case::few_deletes(Task::Delete, 1_000, Way::Calls)]
    #[case::many_deletes(Task::Delete, 10_000, Way::Job)]
    fn the_cheaper_way_is_taken(#[case] task: Task, #[case] rows: u64, #[case] way: Way) {
        let choice = choose(&Rates::default(), Workload { task, rows });
        assert_eq!(choice.way, way, "{choice:?}");
    }

    #[rstest]
    #[case(Jobs::Never, 1_000_000, Way::Calls)]
    #[case(Jobs::Always, 2_000, Way::Job)]
    #[case(Jobs::Always, 1_999, Way::Calls)]
    fn a_setting_outweighs_the_cost(#[case] jobs: Jobs, #[case] rows: u64, #[case] way: Way) {
        let rates = Rates { jobs, ..Rates::default() };
        assert_eq!(choose(&rates, Workload { task: Task::Read, rows }).way, way);
    }

    #[test]
    fn who_would_rather_wait_takes_jobs_sooner() {
        let work = Workload { task: Task::Read, rows: 16_000 };
        let hurried = Rates { call_worth: Duration::ZERO, ..Rates::default() };
        let thrifty = Rates { call_worth: Duration::from_secs(60), ..Rates::default() };
        assert_eq!(choose(&hurried, work).way, Way::Calls);
        let choice = choose(&thrifty, Workload { task: Task::Read, rows: 40_000 });
        assert_eq!(choice.way, Way::Job, "{choice:?}");
    }

    #[test]
    fn calls_are_counted_exactly() {
        let rates = Rates::default();
        assert_eq!(choose(&rates, Workload { task: Task::Read, rows: 0 }).calls.calls, 1);
        assert_eq!(choose(&rates, Workload { task: Task::Read, rows: 2_001 }).calls.calls, 2);
        assert_eq!(choose(&rates, Workload { task: Task::Write, rows: 401 }).calls.calls, 3);
    }

    #[test]
    fn a_quiet_day_costs_a_call_a_run_on_each_side() {
        let two_onto_one = PerSide { org: 2, platform: 1 };
        let often = |seconds| PerSide::from_fn(|_side| Duration::from_secs(seconds));
        let day = idle_calls_a_day(often(300), two_onto_one);
        assert_eq!(day, PerSide { org: 288, platform: 288 });
        let seven = idle_calls_a_day(often(3_600), PerSide { org: 7, platform: 2 });
        assert_eq!(seven, PerSide { org: 48, platform: 48 });
    }

    #[test]
    fn a_job_is_asked_after_at_growing_pauses() {
        let rates = Rates::default();
        assert_eq!(pause_before(&rates, 0), Duration::from_secs(1));
        assert_eq!(pause_before(&rates, 100), Duration::from_secs(30));
        // 1 + 1.5 + 2.25 + 3.375 + 5.0625 s
        assert_eq!(questions(&rates, Duration::from_secs(10)), 5);
        assert_eq!(questions(&rates, Duration::ZERO), 1);
    }

    #[test]
    fn the_choice_is_told_with_what_the_other_way_costs() {
        let choice = choose(&Rates::default(), Workload { task: Task::Read, rows: 1_000_000 });
        let told = choice.sentence("Contact");
        assert!(told.starts_with("Contact: 1,000,000 records are read by a bulk job, about "), "{told}");
        assert!(told.contains("; by single calls about 500 calls and "), "{told}");
    }
}
