//! What the tenant has defined: two types with their fields and stages, templates of activities, and four users.

use serde_json::{Value, json};

/// A field: number, name, type, role and options.
pub(super) struct Field {
    pub(super) id: u32,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) role: Option<&'static str>,
    pub(super) options: &'static [&'static str],
}

const fn field(id: u32, name: &'static str, kind: &'static str, role: Option<&'static str>) -> Field {
    Field { id, name, kind, role, options: &[] }
}

/// The fields of both types. Those of the system have high numbers, the tenant's own low ones.
pub(super) static FIELDS: [Field; 12] = [
    field(100_002, "First Name", "Text", Some("FirstName")),
    field(100_003, "Last Name", "Text", Some("LastName")),
    field(100_004, "Company", "Text", Some("Company")),
    field(100_005, "Phone", "Phone", Some("Phone")),
    field(100_006, "Email", "Email", Some("Email")),
    field(100_007, "Value", "Currency", Some("Value")),
    field(100_008, "Unit", "Text", Some("Unit")),
    Field {
        id: 9,
        name: "Lead Source",
        kind: "SingleChoice",
        role: None,
        options: &["Door", "Web", "Referral", "Event"],
    },
    Field {
        id: 20,
        name: "Interests",
        kind: "MultiChoice",
        role: None,
        options: &["Solar", "Roofing", "Windows"],
    },
    field(21, "Remarks", "MultiLine", None),
    field(22, "Installed On", "Date", None),
    field(23, "Title", "Text", None),
];

/// The stages: number, name, group.
pub(super) const STAGES: [(u32, &str, &str); 6] = [
    (1, "New", "active"),
    (2, "Contacted", "active"),
    (3, "Appointment", "active"),
    (4, "Quoted", "active"),
    (5, "Sold", "won"),
    (6, "Not Interested", "lost"),
];

/// The types.
pub(super) const TYPES: [(u32, &str); 2] = [(1, "Lead"), (2, "Account")];

/// The templates of activities: number, name, type, role.
pub(super) const TEMPLATES: [(u32, &str, &str, &str); 4] = [
    (1, "Note", "Event", "Note"),
    (2, "Visit", "Event", "Visit"),
    (3, "Call", "Event", "Call"),
    (4, "Appointment", "Event", "Appointment"),
];

/// The results of activities.
pub(super) const RESULTS: [(u32, &str); 3] = [(1, "Interested"), (2, "Not at Home"), (3, "Not Interested")];

/// Somebody who works with the app.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: u32,
    pub(super) email: String,
    pub(super) name: (String, String),
    pub(super) role: &'static str,
    pub(super) external: Option<String>,
}

/// Everybody; who they are in the org is noted once there is one.
pub(super) fn users() -> Vec<User> {
    let user = |id, email: &str, first: &str, last: &str, role| User {
        id,
        email: email.into(),
        name: (first.into(), last.into()),
        role,
        external: None,
    };
    vec![
        user(1, "admin@acme.example", "Ada", "Admin", "Admin"),
        user(2, "rita@acme.example", "Rita", "Rep", "SalesRep"),
        user(3, "sven@acme.example", "Sven", "Street", "SalesRep"),
        user(4, "mona@acme.example", "Mona", "Manager", "Manager"),
    ]
}

/// A field by its number.
pub(super) fn field_of(id: u32) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.id == id)
}

/// A field by its role or, for the tenant's own, its name.
pub(super) fn field_named(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.role.unwrap_or(field.name).eq_ignore_ascii_case(name))
}

/// Whether a field must be filled on a record of a type in a stage.
pub(super) fn is_required(kind: u32, stage: u32, field: &Field) -> bool {
    match field.role {
        Some("Company") => kind == 2,
        Some("Value") => kind == 1 && stage == 5,
        _ => false,
    }
}

/// The whole workflow as it is answered.
pub(super) fn shown() -> Value {
    let stages = |group: &str| {
        let of_group = STAGES.iter().filter(|(_, _, known)| *known == group);
        let list: Vec<Value> = of_group
            .map(|(id, name, _)| json!({"id": id.to_string(), "name": name, "color": "#3478f6", "lossReasons": []}))
            .collect();
        json!({"active": true, "stages": list})
    };
    let types = TYPES.iter().map(|(id, name)| {
        let fields: Vec<Value> = FIELDS
            .iter()
            .map(|field| {
                json!({
                    "id": field.id.to_string(), "name": field.name, "type": field.kind,
                    "stageConstraints": if *id == 1 && field.role == Some("Value") { json!(["5"]) } else { json!([]) },
                    "requiredWithoutStage": is_required(*id, 1, field), "readonly": false, "useAsFilter": true,
                    "activeOptions": field.options, "removedOptions": [], "systemRole": field.role,
                    "stageVisibility": [], "inherited": false,
                    "createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-01-01T00:00:00Z",
                })
            })
            .collect();
        json!({
            "id": id.to_string(), "name": name, "parentId": null, "hasAddress": true, "hasPhone": true, "hasEmail": true,
            "fields": fields, "parentRequired": false,
            "stages": {"active": stages("active"), "won": stages("won"), "lost": stages("lost")},
            "extraSettings": {"allowAutoplays": false, "enableLeadMachine": false, "allowEcontracts": false},
        })
    });
    Value::Array(types.collect())
}

/// The templates as they are answered.
pub(super) fn shown_templates() -> Value {
    let results: Vec<Value> = RESULTS
        .iter()
        .map(|(id, name)| json!({"id": id.to_string(), "name": name, "color": "#3478f6", "active": true, "isSystem": false}))
        .collect();
    let templates = TEMPLATES.iter().map(|(id, name, kind, role)| {
        json!({
            "id": id.to_string(), "name": name, "type": kind, "category": "InPerson", "systemRole": role, "active": true,
            "activityResults": results, "requiredFields": [], "defaultDuration": 30, "creatable": true,
        })
    });
    Value::Array(templates.collect())
}
