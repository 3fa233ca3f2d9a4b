//! Writing SALESmanago: batches, refusals, consent, renames, deletions, jobs.

use forcesync::connect::platform::salesmanago::{SalesmanagoSettings, Transport};
use forcesync::domain::mapping::SideEffects;
use forcesync::domain::port::{RowClass, RowResult, Sink, Source, WriteBatch, WriteKind, Written};
use forcesync::domain::value::Value;
use forcesync::sandbox::faults::{Fault, FaultKind};
use forcesync::sandbox::platform::salesmanago::{NewContact, SalesmanagoOptions};
use serde_json::json;

use crate::salesmanago_account::{Account, batch, done, refused, row, written};

#[expect(clippy::unnecessary_wraps, reason = "a row's value is always optional")]
fn text(text: &str) -> Option<Value> {
    Some(text.into())
}

#[tokio::test]
async fn a_batch_is_written_and_read_back_and_a_bad_row_keeps_the_services_words() {
    let account = Account::start().await;
    let fields = ["email", "name", "details.SF_Title", "address.city"];
    let values = |email: &str| vec![text(email), text("Ann Lee"), text("Boss"), text("Graz")];
    let rows = ["a@x.example", "not an address", "b@x.example"];
    let rows = rows.iter().map(|email| row(None, email, values(email))).collect();
    let client = account.client();
    let results = written(&client, &batch(WriteKind::Create, &fields, rows)).await;

    let (id, created, held) = done(&results[0]);
    assert!(created);
    assert_eq!(held[..2], [text("a@x.example"), text("Ann Lee")]);
    assert_eq!(held[5], text("Boss"));
    assert_eq!(account.emulator.contact(id.as_str()).unwrap()["address"]["city"], "Graz");
    let (code, words) = refused(&results[1]);
    assert_eq!(code, "SALESMANAGO");
    assert!(words.contains("Invalid email"), "{words}");
    done(&results[2]);
    assert_eq!(account.called("contact/batchupsert"), 1);
    assert_eq!(account.called("contact/upsert"), 1, "only the row at fault is sent alone");
    assert_eq!(client.calls(), 3);
}

#[tokio::test]
async fn a_create_that_meets_a_contact_says_that_nothing_new_came_of_it() {
    let account = Account::start().await;
    let known = account.seed("Known@x.example", 1_600_000_000_000);
    let rows = vec![row(None, "known@x.example", vec![text("known@x.example"), text("Ann")])];
    let results = written(&account.client(), &batch(WriteKind::Create, &["email", "name"], rows)).await;
    let (id, created, _) = done(&results[0]);
    assert_eq!(id, known);
    assert!(!created);
}

/// platform-salesmanago.md §8: consent moves by orders alone; a new contact is opted out.
#[tokio::test]
async fn consent_moves_only_by_order() {
    let account = Account::start().await;
    let client = account.client();
    // (status before, value sent) → status after; a contact that is new starts opted out.
    let table = [
        (Some(false), None, false),
        (Some(true), None, true),
        (Some(false), Some(true), true),
        (Some(true), Some(false), false),
        (Some(true), Some(true), true),
        (None, None, true),
        (None, Some(false), false),
        (None, Some(true), true),
    ];
    for (case, (before, sent, after)) in table.into_iter().enumerate() {
        let email = format!("case{case}@x.example");
        let id = before.map(|opted_out| {
            let contact = NewContact {
                email: email.clone(),
                opted_out,
                opted_out_phone: opted_out,
                ..NewContact::default()
            };
            account.seed_contact(contact)
        });
        let kind = if id.is_some() { WriteKind::Update } else { WriteKind::Create };
        let sent = sent.map(Value::Bool);
        let rows = vec![row(id.as_ref(), &email, vec![text(&email), sent.clone(), sent])];
        let results = written(&client, &batch(kind, &["email", "optedOut", "optedOutPhone"], rows)).await;
        let (_, _, held) = done(&results[0]);
        assert_eq!(held[3..5], [Some(Value::Bool(after)), Some(Value::Bool(after))], "case {case}");
    }
    assert_eq!(account.emulator.side_effects().mails_sent, 0, "no confirmation mail unless asked for");
}

/// platform-salesmanago.md §8: `useApiDoubleOptIn` only by order.
#[tokio::test]
async fn the_confirmation_mail_is_sent_only_where_the_mapping_wants_it() {
    let account = Account::start().await;
    let effects = SideEffects { double_opt_in: true, ..SideEffects::default() };
    let rows = vec![
        row(None, "a@x.example", vec![text("a@x.example")]),
        row(None, "b@x.example", vec![text("b@x.example")]),
    ];
    let batch = WriteBatch { effects, ..batch(WriteKind::Create, &["email"], rows) };
    written(&account.client(), &batch).await;
    assert_eq!(account.emulator.side_effects().mails_sent, 2);
}

#[tokio::test]
async fn an_update_leaves_alone_what_is_absent_and_empties_what_is_blanked() {
    let account = Account::start().await;
    let id = account.seed_contact(NewContact {
        email: "ann@x.example".into(),
        name: "Ann".into(),
        phone: "123".into(),
        company: "Acme".into(),
        properties: vec![("SF_Title".into(), "Boss".into()), ("Other".into(), "kept".into())],
        ..NewContact::default()
    });
    let values = vec![None, Some(Value::Null), text("Best"), Some(Value::Null)];
    let rows = vec![row(Some(&id), "ann@x.example", values)];
    let fields = ["name", "phone", "company", "details.SF_Title"];
    let results = written(&account.client(), &batch(WriteKind::Update, &fields, rows)).await;
    let (_, created, _) = done(&results[0]);
    assert!(!created);
    let now = account.emulator.contact(id.as_str()).unwrap();
    assert_eq!((&now["name"], &now["phone"], &now["company"]), (&json!("Ann"), &json!(""), &json!("Best")));
    assert_eq!(now["properties"], json!([{"name": "Other", "value": "kept"}]));
}

/// platform-salesmanago.md §6: a rename keeps the contact.
#[tokio::test]
async fn an_address_is_changed_on_the_linked_contact_itself() {
    let account = Account::start().await;
    let id = account.seed("old@x.example", 1_600_000_000_000);
    let rows = vec![row(Some(&id), "old@x.example", vec![text("new@x.example")])];
    let results = written(&account.client(), &batch(WriteKind::Update, &["email"], rows)).await;
    let (same, _, held) = done(&results[0]);
    assert_eq!(same, id);
    assert_eq!(held[0], text("new@x.example"));
    assert_eq!(account.emulator.counts().0, 1);
}

#[tokio::test]
async fn tags_become_exactly_those_of_the_row() {
    let account = Account::start().await;
    let id = account.seed_contact(NewContact {
        email: "ann@x.example".into(),
        tags: vec!["KEEP".into(), "DROP".into()],
        ..NewContact::default()
    });
    let tags = Value::Set(vec!["KEEP".into(), "NEW".into()]);
    let rows = vec![row(Some(&id), "ann@x.example", vec![Some(tags.clone())])];
    let results = written(&account.client(), &batch(WriteKind::Update, &["tags"], rows)).await;
    assert_eq!(done(&results[0]).2[6], Some(tags));
}

#[tokio::test]
async fn a_write_that_lands_on_another_contact_is_a_stray_create() {
    let account = Account::start().await;
    let linked = account.seed_contact(NewContact {
        email: "ann@x.example".into(),
        deleted: true,
        ..NewContact::default()
    });
    let other = account.seed("ann@x.example", 1_600_000_000_000);
    let rows = vec![row(Some(&linked), "ann@x.example", vec![text("Ann")])];
    let results = written(&account.client(), &batch(WriteKind::Update, &["name"], rows)).await;
    let (code, words) = refused(&results[0]);
    assert_eq!(code, "stray_create");
    assert!(words.contains(other.as_str()) && words.contains(linked.as_str()), "{words}");
}

#[tokio::test]
async fn a_contact_that_was_deleted_is_gone_and_is_not_made_again() {
    let account = Account::start().await;
    let id = account.seed_contact(NewContact {
        email: "ann@x.example".into(),
        deleted: true,
        ..NewContact::default()
    });
    let rows = vec![row(Some(&id), "new@x.example", vec![text("new@x.example")])];
    let results = written(&account.client(), &batch(WriteKind::Update, &["email"], rows)).await;
    assert!(matches!(&results[0], RowResult::Refused(error) if error.class == RowClass::Gone), "{results:?}");
    assert_eq!(account.emulator.counts().0, 0);
}

#[tokio::test]
async fn two_rows_for_one_address_are_written_one_after_the_other() {
    let account = Account::start().await;
    let rows = vec![
        row(None, "ann@x.example", vec![text("ann@x.example"), text("First")]),
        row(None, "ANN@x.example", vec![text("ANN@x.example"), text("Second")]),
    ];
    let results = written(&account.client(), &batch(WriteKind::Create, &["email", "name"], rows)).await;
    assert_eq!(done(&results[0]).0, done(&results[1]).0);
    assert_eq!(account.emulator.contact("ann@x.example").unwrap()["name"], "Second");
}

#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_is_halved_until_all_good_rows_are_in() {
    let account = Account::start().await;
    let fault = Fault::new(FaultKind::SuccessFalse).on("batchupsert").times(1);
    account.faults.arm(Fault { message: Some("Invalid data".into()), ..fault });
    let emails: Vec<String> = (0..7).map(|number| format!("p{number}@x.example")).collect();
    let rows = emails.iter().map(|email| row(None, email, vec![text(email)])).collect();
    let results = written(&account.client(), &batch(WriteKind::Create, &["email"], rows)).await;
    for (result, email) in results.iter().zip(&emails) {
        assert_eq!(done(result).2[0], text(email));
    }
}

/// platform-salesmanago.md §5 “Delete”: by address.
#[tokio::test]
async fn a_deletion_reaches_the_contact_and_an_absent_one_counts_as_deleted() {
    let account = Account::start().await;
    let id = account.seed("ann@x.example", 1_600_000_000_000);
    let other = account.seed("bob@x.example", 1_600_000_000_000);
    let absent = "00000000-0000-4000-8000-00000000ffff".into();
    let rows = vec![row(Some(&id), "", vec![]), row(Some(&absent), "", vec![])];
    let results = written(&account.client(), &batch(WriteKind::Delete, &[], rows)).await;
    assert!(
        results.iter().all(|result| matches!(result, RowResult::Done { record: None, .. })),
        "{results:?}"
    );
    assert_eq!(account.emulator.contact(id.as_str()).unwrap()["deleted"], true);
    assert_eq!(account.emulator.contact(other.as_str()).unwrap()["deleted"], false);
}

/// platform-salesmanago.md §5 “Batch upsert (async)”: a job, which fires no events.
#[tokio::test]
async fn a_job_takes_the_batch_over_fires_nothing_and_answers_for_each_row() {
    let account =
        Account::start_with(SalesmanagoOptions { job_polls: 2, ..SalesmanagoOptions::default() }).await;
    let client =
        account.client_with(SalesmanagoSettings { transport: Transport::Async, ..account.settings() });
    let known = account.seed("known@x.example", 1_600_000_000_000);
    let rows = vec![
        row(None, "a@x.example", vec![text("a@x.example"), text("Ann")]),
        row(None, "broken", vec![text("broken"), text("Bob")]),
        row(None, "", vec![Some(Value::Null), text("Nobody")]),
        row(None, "known@x.example", vec![text("known@x.example"), text("Known")]),
    ];
    let job = match client.write(&batch(WriteKind::Create, &["email", "name"], rows)).await.unwrap() {
        Written::Accepted(job) => job,
        other => panic!("{other:?}"),
    };
    assert!(!job.0.contains("Ann"), "a job holds no values: {}", job.0);
    assert!(client.poll(&job).await.unwrap().is_none());
    let results = loop {
        if let Some(results) = client.poll(&job).await.unwrap() {
            break results;
        }
    };
    assert_eq!(done(&results[0]).2[1], text("Ann"));
    assert!(refused(&results[1]).1.contains("Invalid email"), "{results:?}");
    assert_eq!(refused(&results[2]).0, "EMAIL_REQUIRED");
    assert_eq!(done(&results[3]).0, known);
    assert_eq!(account.emulator.side_effects().events_fired, 0);
}
