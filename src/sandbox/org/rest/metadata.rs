//! Metadata: a deploy makes custom objects and fields that the org does not have yet, and permission sets that give the right to them.
//!
//! What can be made is what some vendor's package would have added: those objects and fields lie dormant in an org that was founded
//! without the package (`Org::hide_package`), and a deploy wakes them. As in a real org nobody sees a new field before a permission
//! set with it is assigned.

use std::collections::{BTreeSet, HashMap};

use axum::http::Method;
use serde_json::{Value, json};

use super::Api;
use super::reply::{Body, Call, Reply};
use crate::sandbox::org::Org;
use crate::sandbox::org::ids;
use crate::sandbox::org::rights::{FieldPermission, ObjectPermission};
use crate::sandbox::org::schema::ExtraSchema;
use crate::sandbox::org::soap::xml::{self, Element};

/// What was deployed, and what still can be.
#[derive(Debug, Default)]
pub(in crate::sandbox::org) struct Deployments {
    /// Objects, and fields as `Object.Field`, that no deploy has made yet.
    dormant: BTreeSet<String>,
    results: HashMap<String, Value>,
    sets: HashMap<String, Grants>,
}

/// What a permission set gives.
#[derive(Debug, Clone, Default)]
struct Grants {
    objects: Vec<(String, ObjectPermission)>,
    fields: Vec<(String, String, FieldPermission)>,
}

/// One thing of a deploy that went wrong.
struct Failure {
    kind: &'static str,
    name: String,
    problem: String,
}

impl Org {
    /// Hides what a package would have added, until a deploy makes it.
    pub fn hide_package(&self, package: &ExtraSchema) {
        let objects: Vec<String> = package.objects.iter().map(|object| object.name.clone()).collect();
        for name in &objects {
            let none = ObjectPermission { read: false, create: false, edit: false, delete: false };
            self.set_object_permission(name, none);
        }
        for field in &package.fields {
            self.set_field_permission(&field.object, &field.name, FieldPermission::Hidden);
        }
        let fields = package.fields.iter().map(|field| format!("{}.{}", field.object, field.name));
        self.deployments().dormant.extend(objects.into_iter().chain(fields));
    }

    /// Gives the integration user what a permission set gives.
    pub(super) fn assign_set(&self, set: &str) {
        let grants = self.deployments().sets.get(set).cloned().unwrap_or_default();
        for (object, permission) in grants.objects {
            self.set_object_permission(&object, permission);
        }
        for (object, field, permission) in grants.fields {
            self.set_field_permission(&object, &field, permission);
        }
    }

    fn missing(&self, name: &str) -> bool {
        self.deployments().dormant.contains(name)
    }

    fn make(&self, name: &str, failures: &mut Vec<Failure>, kind: &'static str) {
        let known = match name.split_once('.') {
            Some((object, field)) => {
                self.schema.get(object).is_some_and(|(_, shape)| shape.field(field).is_some())
            }
            None => self.schema.find(name).is_some(),
        };
        if known {
            // What is there already is changed by a deploy, which changes nothing here.
            self.deployments().dormant.remove(name);
        } else {
            let problem = "This sandbox can make only what the vendors' packages contain".to_owned();
            failures.push(Failure { kind, name: name.to_owned(), problem });
        }
    }
}

/// The files of a stored zip, by name; nothing where it is none, or compressed.
fn unzipped(archive: &[u8]) -> Option<HashMap<String, String>> {
    let mut files = HashMap::new();
    let mut at = 0;
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(archive.get(at..at + 2)?.try_into().ok()?)));
    let word = |at: usize| Some(u32::from_le_bytes(archive.get(at..at + 4)?.try_into().ok()?) as usize);
    while archive.get(at..at + 4)? == b"PK\x03\x04" {
        if half(at + 8)? != 0 {
            return None;
        }
        let (size, name, extra) = (word(at + 18)?, half(at + 26)?, half(at + 28)?);
        let start = at + 30;
        let title = String::from_utf8_lossy(archive.get(start..start + name)?).into_owned();
        let body = start + name + extra;
        files.insert(title, String::from_utf8_lossy(archive.get(body..body + size)?).into_owned());
        at = body + size;
    }
    (!files.is_empty()).then_some(files)
}

/// The zip inside a multipart body.
fn archive(body: &[u8]) -> Option<&[u8]> {
    let start = body.windows(4).position(|four| four == b"PK\x03\x04")?;
    body.get(start..)
}

impl Api<'_> {
    /// `metadata/deployRequest` and `metadata/deployRequest/{id}`.
    pub(super) fn deploy_request(&mut self, call: &Call, rest: &[&str]) -> Reply {
        match (&call.method, rest) {
            (&Method::POST, []) => self.deploy(call),
            (&Method::GET, [id]) => match self.org.deployments().results.get(*id) {
                Some(result) => Reply::json(200, &json!({"id": id, "deployResult": result})),
                None => Reply::not_found(),
            },
            _ => Reply::wrong_method(call, "GET, POST"),
        }
    }

    fn deploy(&mut self, call: &Call) -> Reply {
        let kind = call.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let Body::Bytes(bytes) = &call.body else { return Reply::not_found() };
        if !kind.starts_with("multipart/form-data") {
            return Reply::error(415, "UNSUPPORTED_MEDIA_TYPE", "A deploy is multipart/form-data");
        }
        let Some(files) = archive(bytes).and_then(unzipped) else {
            return Reply::error(
                400,
                "INVALID_ZIP",
                "The deploy has no zip that this sandbox can read (stored, not compressed)",
            );
        };
        let mut failures = Vec::new();
        let mut total = 0_u32;
        if !files.contains_key("package.xml") {
            let problem = "No package.xml found".to_owned();
            failures.push(Failure { kind: "", name: "package.xml".into(), problem });
        }
        for (path, text) in &files {
            let Some(root) = xml::parse(text) else {
                failures.push(Failure { kind: "", name: path.clone(), problem: "The file is no XML".into() });
                continue;
            };
            if let Some(name) = path.strip_prefix("objects/").and_then(|name| name.strip_suffix(".object")) {
                total += self.make_object(name, &root, &mut failures);
            }
        }
        for (path, text) in &files {
            let name =
                path.strip_prefix("permissionsets/").and_then(|name| name.strip_suffix(".permissionset"));
            if let (Some(name), Some(root)) = (name, xml::parse(text)) {
                total += 1;
                self.make_set(call, name, &root, &mut failures);
            }
        }
        let id = format!("0Af{:012}AAA", self.org.deployments().results.len() + 1);
        let success = failures.is_empty();
        let listed: Vec<Value> = failures
            .iter()
            .map(|failure| {
                json!({"componentType": failure.kind, "fullName": failure.name, "problem": failure.problem,
                       "problemType": "Error", "success": false})
            })
            .collect();
        let result = json!({
            "id": id, "done": true, "success": success, "status": if success { "Succeeded" } else { "Failed" },
            "checkOnly": false, "rollbackOnError": true, "numberComponentsTotal": total,
            "numberComponentsDeployed": if success { total } else { 0 }, "numberComponentErrors": failures.len(),
            "details": {"componentFailures": listed, "componentSuccesses": []},
        });
        self.org.deployments().results.insert(id.clone(), result);
        Reply::json(
            201,
            &json!({
                "id": id, "validatedDeployRequestId": null, "deployOptions": {},
                "deployResult": {"id": id, "done": false, "success": false, "status": "Pending"},
            }),
        )
    }

    fn make_object(&self, name: &str, root: &Element, failures: &mut Vec<Failure>) -> u32 {
        let org = self.org;
        let mut made = 0;
        let is_new = org.missing(name);
        if is_new && root.text("label").is_some() {
            org.make(name, failures, "CustomObject");
            made += 1;
        } else if is_new || org.schema.find(name).is_none() {
            let problem =
                format!("Entity Enumeration Or ID: bad value for restricted picklist field: {name}");
            failures.push(Failure { kind: "CustomField", name: name.to_owned(), problem });
            return made;
        }
        for field in root.all("fields") {
            let full = format!("{name}.{}", field.text("fullName").unwrap_or_default());
            if field.text("type").is_none() || field.text("label").is_none() {
                let problem = "Required field is missing: type or label".to_owned();
                failures.push(Failure { kind: "CustomField", name: full, problem });
                continue;
            }
            org.make(&full, failures, "CustomField");
            made += 1;
        }
        made
    }

    /// Keeps what a set gives, and makes its row.
    fn make_set(&mut self, call: &Call, name: &str, root: &Element, failures: &mut Vec<Failure>) {
        let mut grants = Grants::default();
        for object in root.all("objectPermissions") {
            let Some(named) = object.text("object") else { continue };
            if self.org.missing(named) || self.schema().find(named).is_none() {
                let problem = format!("no CustomObject named {named} found");
                failures.push(Failure { kind: "PermissionSet", name: name.to_owned(), problem });
                continue;
            }
            let permission = ObjectPermission {
                read: object.is_true("allowRead"),
                create: object.is_true("allowCreate"),
                edit: object.is_true("allowEdit"),
                delete: object.is_true("allowDelete"),
            };
            grants.objects.push((named.to_owned(), permission));
        }
        for field in root.all("fieldPermissions") {
            let Some((object, named)) = field.text("field").and_then(|full| full.split_once('.')) else {
                continue;
            };
            if self.org.missing(&format!("{object}.{named}")) {
                let problem = format!("no CustomField named {object}.{named} found");
                failures.push(Failure { kind: "PermissionSet", name: name.to_owned(), problem });
                continue;
            }
            let permission = if field.is_true("editable") {
                FieldPermission::Edit
            } else if field.is_true("readable") {
                FieldPermission::Read
            } else {
                FieldPermission::Hidden
            };
            grants.fields.push((object.to_owned(), named.to_owned(), permission));
        }
        let Some(object) = self.schema().find("PermissionSet") else { return };
        let label = root.text("label").unwrap_or(name).to_owned();
        let row =
            [("Name".to_owned(), json!(name)), ("Label".to_owned(), json!(label))].into_iter().collect();
        let known = self.org.rows("PermissionSet").iter().find_map(|row| {
            let same = row.get("Name").and_then(Value::as_str) == Some(name);
            same.then(|| row.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned())
        });
        let id = match known {
            Some(id) => Some(id),
            None => self
                .write(call, |writer| writer.insert(object, &row))
                .ok()
                .and_then(|place| Some(ids::mint(&self.schema().objects.get(object)?.prefix, place))),
        };
        if let Some(id) = id {
            // What a set gives from now on, whoever has it already gets at once.
            let is_assigned = self
                .org
                .rows("PermissionSetAssignment")
                .iter()
                .any(|row| row.get("PermissionSetId").and_then(Value::as_str) == Some(id.as_str()));
            self.org.deployments().sets.insert(id.clone(), grants);
            if is_assigned {
                self.org.assign_set(&id);
            }
        }
    }
}
