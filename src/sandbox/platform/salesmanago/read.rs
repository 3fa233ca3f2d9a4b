//! The endpoints that read contacts by e-mail or id, and the users of the account.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::call::Call;
use super::contact::ContactId;
use super::contacts::Contacts;
use super::lenient::{Text, Texts};
use super::reply::{self, Refusal};
use super::view::{ContactView, Detail};

/// So many contacts may be named in one call.
const MOST_NAMED: usize = 50;

/// A body of nothing but credentials.
#[derive(Deserialize)]
pub struct NoBody {}

/// `user/listByClient`: also the way to try credentials out.
pub async fn users(State(service): State<Arc<Salesmanago>>, _call: Call<NoBody>) -> Response {
    #[derive(Serialize)]
    struct Users<'a> {
        users: &'a [String],
    }
    reply::success(&Users { users: &service.options.users })
}

/// What `contact/hasContact` takes.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EmailBody {
    email: Option<Text>,
}

/// `contact/hasContact`.
pub async fn has_contact(
    State(service): State<Arc<Salesmanago>>,
    call: Call<EmailBody>,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Has {
        result: bool,
        contact_id: Option<ContactId>,
    }
    let owner = call.owner(&service)?;
    let email = call.body.email.as_ref().map_or("", Text::as_str);
    let contacts = service.held();
    let found = contacts.live_by_email(owner, email).and_then(|position| contacts.get(position));
    let contact_id = found.map(|contact| contact.id);
    Ok(reply::success(&Has { result: contact_id.is_some(), contact_id }))
}

/// The contacts that a read call names, under any of the names that fields of the calls have.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Named {
    email: Texts,
    id: Texts,
    contact_id: Texts,
}

/// Whose contacts a call sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Owner,
    Anybody,
}

/// `contact/basic`.
pub async fn basic(State(service): State<Arc<Salesmanago>>, call: Call<Named>) -> Result<Response, Refusal> {
    by_email(&service, &call, Detail::Basic, Scope::Owner)
}

/// `contact/basicById`.
pub async fn basic_by_id(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Named>,
) -> Result<Response, Refusal> {
    by_id(&service, &call, Detail::Basic, Scope::Owner)
}

/// `contact/list`.
pub async fn list(State(service): State<Arc<Salesmanago>>, call: Call<Named>) -> Result<Response, Refusal> {
    by_email(&service, &call, Detail::Full, Scope::Owner)
}

/// `contact/listById`.
pub async fn list_by_id(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Named>,
) -> Result<Response, Refusal> {
    by_id(&service, &call, Detail::Full, Scope::Owner)
}

/// `contact/listAll`.
pub async fn list_all(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Named>,
) -> Result<Response, Refusal> {
    by_email(&service, &call, Detail::Full, Scope::Anybody)
}

/// `contact/listAllById`.
pub async fn list_all_by_id(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Named>,
) -> Result<Response, Refusal> {
    by_id(&service, &call, Detail::Full, Scope::Anybody)
}

fn by_email(
    service: &Salesmanago,
    call: &Call<Named>,
    detail: Detail,
    scope: Scope,
) -> Result<Response, Refusal> {
    let owner = call.owner_or_user(service)?;
    let emails = &call.body.email.0;
    check_number(emails.len(), "email")?;
    let contacts = service.held();
    let positions: Vec<u32> = match scope {
        Scope::Owner => emails.iter().filter_map(|email| contacts.by_email(owner, email)).collect(),
        Scope::Anybody => emails.iter().flat_map(|email| contacts.by_email_of_anybody(email)).collect(),
    };
    Ok(contacts_reply(&contacts, &positions, detail))
}

fn by_id(
    service: &Salesmanago,
    call: &Call<Named>,
    detail: Detail,
    scope: Scope,
) -> Result<Response, Refusal> {
    let owner = call.owner_or_user(service)?;
    let ids: Vec<&String> = call.body.contact_id.0.iter().chain(&call.body.id.0).collect();
    check_number(ids.len(), "contactId")?;
    let contacts = service.held();
    let positions: Vec<u32> = ids
        .into_iter()
        .filter_map(|id| contacts.by_id(ContactId::parse(id)?))
        .filter(|position| {
            scope == Scope::Anybody || contacts.get(*position).is_some_and(|contact| contact.owner == owner)
        })
        .collect();
    Ok(contacts_reply(&contacts, &positions, detail))
}

fn check_number(number: usize, field: &str) -> Result<(), Refusal> {
    if number == 0 {
        return Err(Refusal::said(format!("{field} cannot be empty")));
    }
    if number > MOST_NAMED {
        return Err(Refusal::said(format!(
            "Too many contacts in one request, at most {MOST_NAMED} are allowed"
        )));
    }
    Ok(())
}

/// A reply with these contacts; what was asked for and does not exist is simply not in it.
pub fn contacts_reply(contacts: &Contacts, positions: &[u32], detail: Detail) -> Response {
    #[derive(Serialize)]
    struct Found<'a> {
        success: bool,
        message: [String; 0],
        contacts: Vec<ContactView<'a>>,
    }
    let views = positions.iter().filter_map(|position| contacts.get(*position));
    let views = views.map(|contact| ContactView(contact, detail)).collect();
    reply::json(&Found { success: true, message: [], contacts: views })
}
