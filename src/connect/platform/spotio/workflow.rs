//! What the tenant has defined: record types with their fields and stages, and the users. Read before anything else, since
//! writes name fields by numbers that differ from tenant to tenant.

use std::sync::{Arc, PoisonError};

use serde_json::Value as Json;

use super::Spotio;
use super::json::{flag, member, texts};
use super::service::{Ask, Failure, Patience, no_sense};
use super::view::View;
use crate::domain::port::{PortClass, PortError};

/// What the tenant has defined.
#[derive(Clone, Debug, Default)]
pub(super) struct Workflow {
    pub(super) types: Vec<RecordType>,
    pub(super) users: Vec<User>,
    /// What activities are called, by the number of their template.
    pub(super) templates: Vec<(String, String)>,
    /// What results of activities are called, by their number.
    pub(super) results: Vec<(String, String)>,
}

/// A type of records.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordType {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    pub(super) stages: Vec<Stage>,
}

/// A field of a type.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    pub(super) id: String,
    pub(super) name: String,
    /// Its type, in small letters.
    pub(super) kind: String,
    /// What the system uses it for, in small letters; blank for a field of the tenant's own.
    pub(super) role: String,
    pub(super) required: bool,
    /// The stages in which it is required besides.
    pub(super) required_in: Vec<String>,
    pub(super) readonly: bool,
    pub(super) options: Vec<String>,
}

/// A step of the pipeline.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    pub(super) id: String,
    pub(super) name: String,
    /// `active`, `won` or `lost`.
    pub(super) group: String,
}

/// Somebody who works with SPOTIO.
#[derive(Clone, Debug, Default)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) email: String,
    /// The user's id in Salesforce.
    pub(super) external: String,
    pub(super) suspended: bool,
}

impl Field {
    /// Whether it is addressed by its role.
    pub(super) fn has_role(&self) -> bool {
        !self.role.is_empty()
    }
}

impl RecordType {
    fn read(json: &Json) -> Option<Self> {
        let fields =
            json.get("fields").and_then(Json::as_array).into_iter().flatten().filter_map(field).collect();
        let mut stages = Vec::new();
        if let Some(Json::Object(groups)) = json.get("stages") {
            // In the order of the pipeline, whatever the order of the reply; groups that nobody knows yet come last.
            let mut names: Vec<&String> = groups.keys().collect();
            names.sort_by_key(|name| {
                ["active", "won", "lost"].iter().position(|known| known == name).unwrap_or(9)
            });
            for group in names {
                let held = groups.get(group).and_then(|group| group.get("stages")).and_then(Json::as_array);
                for stage in held.into_iter().flatten() {
                    let (Some(id), Some(name)) = (member(stage, "id"), member(stage, "name")) else {
                        continue;
                    };
                    stages.push(Stage { id, name, group: group.to_ascii_lowercase() });
                }
            }
        }
        Some(Self { id: member(json, "id")?, name: member(json, "name").unwrap_or_default(), fields, stages })
    }

    /// The field of a role.
    pub(super) fn of_role(&self, role: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.role.eq_ignore_ascii_case(role))
    }

    /// A stage by its name.
    pub(super) fn stage_named(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name.trim().eq_ignore_ascii_case(name.trim()))
    }

    /// A stage by its number.
    pub(super) fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// What mappings call a field of the tenant's own: its name, and its number only where the name is not enough.
    pub(super) fn custom_name(&self, field: &Field) -> String {
        let namesakes =
            self.fields.iter().filter(|other| !other.has_role() && same(&other.name, &field.name)).count();
        let name = field.name.trim();
        if namesakes > 1 { format!("fields.{name} #{}", field.id) } else { format!("fields.{name}") }
    }

    /// The field of the tenant's own that a mapping names, without the `fields.` before it.
    pub(super) fn custom(&self, name: &str) -> Option<&Field> {
        let own = || self.fields.iter().filter(|field| !field.has_role());
        let mut named = own().filter(|field| same(&field.name, name));
        match (named.next(), named.next()) {
            (Some(only), None) => Some(only),
            (Some(_), Some(_)) => None,
            (None, _) => {
                let (name, id) = name.rsplit_once('#')?;
                own().find(|field| same(&field.name, name) && field.id == id.trim())
            }
        }
    }
}

fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn field(json: &Json) -> Option<Field> {
    Some(Field {
        id: member(json, "id")?,
        name: member(json, "name").unwrap_or_default(),
        kind: member(json, "type").unwrap_or_default().to_ascii_lowercase(),
        role: member(json, "systemRole").unwrap_or_default().to_ascii_lowercase(),
        required: flag(json, "requiredWithoutStage"),
        required_in: texts(json.get("stageConstraints")),
        readonly: flag(json, "readonly"),
        options: texts(json.get("activeOptions")),
    })
}

fn user(json: &Json) -> Option<User> {
    Some(User {
        id: member(json, "id")?,
        email: member(json, "email").unwrap_or_default(),
        external: member(json, "externalSystemUserId").unwrap_or_default(),
        suspended: flag(json, "suspended"),
    })
}

fn named(json: &Json) -> Option<(String, String)> {
    Some((member(json, "id")?, member(json, "name")?))
}

impl Workflow {
    /// The type that is called this, by name or number.
    pub(super) fn named(&self, name: &str) -> Option<&RecordType> {
        self.types
            .iter()
            .find(|known| same(&known.name, name))
            .or_else(|| self.types.iter().find(|known| known.id == name.trim()))
    }

    /// A user by number.
    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// The user who is somebody in Salesforce, by that id; the shorter form of an id is enough.
    pub(super) fn user_of(&self, external: &str) -> Option<&User> {
        let short = |id: &str| id.get(..15).unwrap_or(id).to_owned();
        let wanted = short(external.trim());
        self.users.iter().find(|user| !user.external.is_empty() && short(user.external.trim()) == wanted)
    }

    /// What activities of a template are called.
    pub(super) fn template(&self, id: &str) -> Option<String> {
        self.templates.iter().find(|(known, _)| known == id).map(|(_, name)| name.clone())
    }

    /// What a result is called.
    pub(super) fn result(&self, id: &str) -> Option<String> {
        self.results.iter().find(|(known, _)| known == id).map(|(_, name)| name.clone())
    }

    /// The user with an e-mail address.
    pub(super) fn user_with(&self, email: &str) -> Option<&User> {
        self.users.iter().find(|user| same(&user.email, email))
    }
}

impl Spotio {
    /// What the tenant has defined; asked once, until somebody distrusts it.
    pub(super) async fn workflow(&self) -> Result<Arc<Workflow>, PortError> {
        let known = self.workflow.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(known) => Ok(known),
            None => self.read_workflow(Patience::Run).await,
        }
    }

    /// Asks the service.
    pub(super) async fn read_workflow(&self, patience: Patience) -> Result<Arc<Workflow>, PortError> {
        let list = async |name: &'static str, path: &str| -> Result<Vec<Json>, PortError> {
            let ask = Ask::get(name, path).with_patience(patience);
            let answer = self.service.send(&ask).await.map_err(Failure::into_port)?;
            match answer.value {
                Json::Array(list) => Ok(list),
                other => {
                    let shown: String = other.to_string().chars().take(80).collect();
                    Err(no_sense(&format!("{path} is no list: “{shown}”")).into_port())
                }
            }
        };
        let types = list("workflow", "/api/workflow/dataObjects/full").await?;
        let users = list("users", "/api/users").await?;
        let templates = list("activity templates", "/api/workflow/activityTemplates").await?;
        let results =
            templates.iter().filter_map(|template| template.get("activityResults")?.as_array()).flatten();
        let workflow = Arc::new(Workflow {
            types: types.iter().filter_map(RecordType::read).collect(),
            users: users.iter().filter_map(user).collect(),
            results: results.filter_map(named).collect(),
            templates: templates.iter().filter_map(named).collect(),
        });
        *self.workflow.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&workflow));
        Ok(workflow)
    }

    pub(super) fn forget_workflow(&self) {
        *self.workflow.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The type that a view shows.
    pub(super) fn type_of<'a>(
        &self,
        workflow: &'a Workflow,
        view: View,
    ) -> Result<&'a RecordType, PortError> {
        let name = self.type_name(view);
        workflow.named(name).ok_or_else(|| {
            let known: Vec<&str> = workflow.types.iter().map(|known| known.name.as_str()).collect();
            PortError::new(
                PortClass::Settings,
                "NO_SUCH_TYPE",
                format!(
                    "SPOTIO has no record type “{name}”; it has {}. Choose one in Connection Settings.",
                    known.join(", ")
                ),
            )
        })
    }
}

#[cfg(test)]
pub(super) fn workflow_of(types: &Json, users: &Json) -> Workflow {
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    Workflow {
        types: list(types).iter().filter_map(RecordType::read).collect(),
        users: list(users).iter().filter_map(user).collect(),
        ..Workflow::default()
    }
}
