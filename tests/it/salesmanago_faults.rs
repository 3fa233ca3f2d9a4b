//! What SALESmanago's bad days do: cut connections, full queues, pages of HTML.

use forcesync::domain::port::{PortClass, RowResult, Sink, Source, WriteBatch, WriteKind};
use forcesync::sandbox::faults::{Fault, FaultKind};
use rstest::rstest;

use crate::salesmanago_account::{Account, batch, done, names, row, scan_of, written};

fn two_rows() -> WriteBatch {
    let rows = ["a@x.example", "b@x.example"].map(|email| row(None, email, vec![Some(email.into())]));
    batch(WriteKind::Create, &["email"], rows.into())
}

#[tokio::test]
async fn after_a_cut_behind_the_commit_nobody_knows_and_nothing_is_repeated() {
    let account = Account::start().await;
    account.faults.arm(Fault::new(FaultKind::CutAfter).on("batchupsert").times(1));
    let results = written(&account.client(), &two_rows()).await;
    assert!(results.iter().all(|result| matches!(result, RowResult::Unknown)), "{results:?}");
    assert_eq!(account.emulator.counts().0, 2);
    assert_eq!(account.called("contact/batchupsert"), 1);
}

#[tokio::test]
async fn after_a_cut_before_the_commit_nobody_knows_either() {
    let account = Account::start().await;
    account.faults.arm(Fault::new(FaultKind::CutBefore).on("batchupsert").times(1));
    let results = written(&account.client(), &two_rows()).await;
    assert!(results.iter().all(|result| matches!(result, RowResult::Unknown)), "{results:?}");
    assert_eq!(account.emulator.counts().0, 0);
}

#[rstest]
#[case(FaultKind::TooMany)]
#[case(FaultKind::Html503)]
#[tokio::test]
async fn a_write_that_was_turned_away_is_sent_again(#[case] kind: FaultKind) {
    let account = Account::start().await;
    account.faults.arm(Fault::new(kind).on("batchupsert").times(2));
    let results = written(&account.client(), &two_rows()).await;
    for result in &results {
        done(result);
    }
    assert_eq!(account.called("contact/batchupsert"), 3);
}

/// platform-salesmanago.md §3: what runs into a time-out or a full queue is asked again.
#[rstest]
#[case(FaultKind::TooMany)]
#[case(FaultKind::Html503)]
#[case(FaultKind::CutAfter)]
#[case(FaultKind::CutBefore)]
#[tokio::test]
async fn a_read_is_repeated_until_it_works(#[case] kind: FaultKind) {
    let account = Account::start().await;
    let id = account.seed("a@x.example", 1_700_000_000_000);
    account.faults.arm(Fault::new(kind).times(2));
    let read = account.client().read("contact", &names(&["email"]), &[id]).await.unwrap();
    assert_eq!(read.len(), 1);
}

/// platform-salesmanago.md §3: what 401, 429 and 503 mean.
#[rstest]
#[case(FaultKind::TooMany, PortClass::Limit)]
#[case(FaultKind::Html503, PortClass::Transient)]
#[case(FaultKind::Unauthorized, PortClass::SignIn)]
#[case(FaultKind::CutBefore, PortClass::Transient)]
#[tokio::test]
async fn trouble_that_lasts_has_its_class(#[case] kind: FaultKind, #[case] class: PortClass) {
    let account = Account::start().await;
    account.faults.arm(Fault::new(kind));
    let error = account.client().scan(&scan_of(&["email"])).await.unwrap_err();
    assert_eq!(error.class, class, "{error}");
}

#[tokio::test]
async fn a_write_that_is_always_turned_away_did_nothing() {
    let account = Account::start().await;
    account.faults.arm(Fault::new(FaultKind::TooMany).on("batchupsert"));
    let error = account.client().write(&two_rows()).await.unwrap_err();
    assert_eq!(error.class, PortClass::Limit);
}

#[tokio::test]
async fn what_was_written_stays_written_when_it_cannot_be_read_back() {
    let account = Account::start().await;
    account.faults.arm(Fault::new(FaultKind::Html503).on("listById"));
    let results = written(&account.client(), &two_rows()).await;
    assert!(
        results.iter().all(|result| matches!(result, RowResult::Done { record: None, .. })),
        "{results:?}"
    );
}

#[tokio::test]
async fn a_refusal_without_sense_does_not_pass_for_missing_contacts() {
    let account = Account::start().await;
    let id = account.seed("a@x.example", 1_700_000_000_000);
    account.faults.arm(Fault::new(FaultKind::SuccessFalse).on("listById"));
    let error = account.client().read("contact", &names(&["email"]), &[id]).await.unwrap_err();
    assert_eq!(error.class, PortClass::Protocol);
}

#[tokio::test]
async fn a_lost_connection_in_the_middle_of_single_rows_leaves_only_those_unknown() {
    let account = Account::start().await;
    account.faults.arm(Fault::new(FaultKind::CutAfter).on("contact/upsert").times(1));
    let rows = ["a@x.example", "broken"].map(|email| row(None, email, vec![Some(email.into())]));
    let results = written(&account.client(), &batch(WriteKind::Create, &["email"], rows.into())).await;
    done(&results[0]);
    assert!(matches!(results[1], RowResult::Unknown));
}
