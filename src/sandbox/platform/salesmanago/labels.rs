//! The endpoints around a contact that a sync rarely needs: tags, notes, tasks and the change of owner.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::call::Call;
use super::lenient::Text;
use super::read::NoBody;
use super::reply::{self, Refusal};
use super::upsert::Addressee;
use super::write::{Mode, Row};

/// `contact/tags`.
pub async fn tags(State(service): State<Arc<Salesmanago>>, call: Call<NoBody>) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Tag<'a> {
        tag: &'a str,
        number_of_tagged: usize,
    }
    #[derive(Serialize)]
    struct Tags<'a> {
        tags: Vec<Tag<'a>>,
    }
    let owner = call.owner(&service)?;
    let contacts = service.held();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for contact in contacts.iter().filter(|contact| contact.owner == owner && !contact.deleted) {
        for tag in &contact.tags {
            *counts.entry(tag).or_default() += 1;
        }
    }
    let tags = counts.into_iter().map(|(tag, number_of_tagged)| Tag { tag, number_of_tagged }).collect();
    Ok(reply::success(&Tags { tags }))
}

/// `contact/managetags`: `tags` and `removeTags` of one contact that exists.
pub async fn manage_tags(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Row>,
) -> Result<Response, Refusal> {
    let owner = call.owner(&service)?;
    service.write_row(owner, &call.body, Mode::Update).map_err(Refusal::said)?;
    Ok(reply::done())
}

/// What `contact/addNote` takes.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NoteBody {
    #[serde(flatten)]
    addressee: Addressee,
    note: Option<Text>,
}

/// `contact/addNote`.
pub async fn add_note(
    State(service): State<Arc<Salesmanago>>,
    call: Call<NoteBody>,
) -> Result<Response, Refusal> {
    let owner = call.owner(&service)?;
    let position = call.body.addressee.find(&service, owner)?;
    let note = call.body.note.as_ref().filter(|note| !note.as_str().is_empty());
    let note = note.ok_or_else(|| Refusal::said("Note cannot be empty"))?.0.clone();
    let now = service.clock.now_ms();
    service.held_mut().change(position, now, |contact| contact.rarities_mut().notes.push(note));
    Ok(reply::done())
}

/// What `contact/updateTask` takes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskBody {
    sm_contact_task_req: TaskRequest,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TaskRequest {
    id: Option<Text>,
    contact_email: Option<Text>,
    note: Option<Text>,
}

/// `contact/updateTask`: a task is kept as a note of its contact.
pub async fn update_task(
    State(service): State<Arc<Salesmanago>>,
    call: Call<TaskBody>,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct TaskReply {
        task_id: String,
    }
    let owner = call.owner(&service)?;
    let task = &call.body.sm_contact_task_req;
    let addressee = Addressee { email: task.contact_email.clone(), contact_id: None };
    let position = addressee.find(&service, owner)?;
    let note = task.note.clone().unwrap_or_default().0;
    let now = service.clock.now_ms();
    service.held_mut().change(position, now, |contact| contact.rarities_mut().notes.push(note));
    let task_id = task.id.as_ref().map_or_else(|| service.new_contact_id().to_string(), |id| id.0.clone());
    Ok(reply::success(&TaskReply { task_id }))
}

/// What `contact/setMainOwner` takes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerBody {
    new_owner: Option<Text>,
    contact: Addressee,
}

/// `contact/setMainOwner`.
pub async fn set_main_owner(
    State(service): State<Arc<Salesmanago>>,
    call: Call<OwnerBody>,
) -> Result<Response, Refusal> {
    let owner = call.owner(&service)?;
    let name = call.body.new_owner.as_ref().map_or("", Text::as_str);
    let new_owner =
        service.user(name).ok_or_else(|| Refusal::said(format!("Owner {name} does not exist")))?;
    let position = call.body.contact.find(&service, owner)?;
    let now = service.clock.now_ms();
    let mut contacts = service.held_mut();
    let email = contacts.get(position).map(|contact| contact.email.clone()).unwrap_or_default();
    if new_owner != owner && contacts.live_by_email(new_owner, &email).is_some() {
        return Err(Refusal::said(format!("Contact {email} already exists")));
    }
    contacts.hand_over(position, new_owner);
    contacts.change(position, now, |_| ());
    drop(contacts);
    Ok(reply::done())
}
