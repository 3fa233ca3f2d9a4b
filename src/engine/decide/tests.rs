use super::*;

fn link(read: &str) -> Link {
    Link {
        link: 1,
        mapping: 1,
        family: 1,
        ids: PerSide { org: "003A".into(), platform: "p".into() },
        closed: None,
        stamps: PerSide::default(),
        read: PerSide { org: moment(read), platform: moment(read) },
        bases: Bases::default(),
    }
}

fn moment(time: &str) -> DateTime<Utc> {
    format!("2026-01-01T{time}Z").parse().unwrap()
}

fn until(read_before: &str, stamp: Option<&str>, read_at: &str, grain: TimeDelta) -> DateTime<Utc> {
    let record = Record {
        id: "003A".into(),
        stamp: stamp.map(moment),
        author: None,
        values: Vec::new(),
        became: Vec::new(),
    };
    let present = Present::Read { record: &record, read_at: moment(read_at), grain };
    changed_within(Some(&link(read_before)), Side::Org, &present).unwrap().until
}

#[test]
fn e2_a_stamp_that_is_cut_off_to_seconds_says_until_the_end_of_its_second() {
    let second = TimeDelta::seconds(1);
    assert_eq!(until("12:00:00", Some("12:00:05"), "12:00:30", second), moment("12:00:06"));
    // It was read within that second.
    assert_eq!(until("12:00:00", Some("12:00:05"), "12:00:05.400", second), moment("12:00:05.400"));
}

#[test]
fn e2_without_a_stamp_of_its_own_a_change_may_have_come_until_it_was_read() {
    let second = TimeDelta::seconds(1);
    assert_eq!(until("12:00:00", None, "12:00:30", second), moment("12:00:30"));
    // Older than what was last seen: it does not tell of this change.
    assert_eq!(until("12:00:00", Some("11:59:00"), "12:00:30", second), moment("12:00:30"));
}

#[test]
fn e2_a_stamp_of_a_day_says_nothing_before_the_day_is_over() {
    assert_eq!(until("00:00:00", Some("00:00:01"), "12:00:30", TimeDelta::days(1)), moment("12:00:30"));
}
