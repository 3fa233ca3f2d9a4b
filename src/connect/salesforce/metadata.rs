//! Making custom objects and fields in the org, on request alone (N26): one deploy of metadata with a permission set, which is then
//! assigned to our user. A field that is made without a permission is seen by nobody.

mod zip;

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::errors::senseless;
use super::session::{Door, Request};
use crate::connect::http::Idempotency;
use crate::domain::port::{PortClass, PortError};
use crate::domain::profile::{OrgField, OrgObject};
use zip::Zip;

/// What separates the two parts of a deploy; it appears in neither.
const BOUNDARY: &str = "forcesync-deploy-7d1f0c2a9b";
/// How the body of a deploy names itself.
const MULTIPART: &str = "multipart/form-data; boundary=forcesync-deploy-7d1f0c2a9b";
/// The namespace of all files.
const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";
/// How long between two questions whether a deploy is done.
const PAUSE: Duration = Duration::from_secs(2);
/// How often it is asked.
const QUESTIONS: u32 = 150;

/// An object that is wanted, wholly or with these fields.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The object.
    pub object: &'a OrgObject,
    /// Whether it is made itself.
    pub whole: bool,
    /// The fields to be made.
    pub fields: &'a [&'a OrgField],
}

/// Makes objects and fields, and gives our user the right to them by a permission set named after the platform; gives the full names of
/// what was made.
pub(super) async fn deploy(
    door: &Door,
    wanted: &[Wanted<'_>],
    label: &str,
) -> Result<Vec<String>, PortError> {
    let set = format!("Forcesync_{}", label.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
    let base = door.base().await?;
    let version =
        base.rsplit_once("/v").map_or("67.0", |(_, version)| version.trim_end_matches('/')).to_owned();
    let body = multipart(&archive(wanted, &set, label, &version));
    let path = format!("{base}/metadata/deployRequest");
    let request = Request::post("deploy", path.clone(), body, Idempotency::Once).of_type(MULTIPART);
    let reply = door.send(&request).await.map_err(|error| error.told("the deploy of objects and fields"))?;
    let begun: Value = reply.json().map_err(|error| senseless("a deploy", &error))?;
    let Some(id) = begun.get("id").and_then(Value::as_str).filter(|id| id.chars().all(char::is_alphanumeric))
    else {
        return Err(failed("the org did not say under which id the deploy runs"));
    };
    let result = finished(door, &format!("{path}/{id}?includeDetails=true")).await?;
    if result.get("success") != Some(&Value::Bool(true)) {
        return Err(failed(&problems(&result)));
    }
    assign(door, &base, &set).await?;
    let mut made = Vec::new();
    for wanted in wanted {
        made.extend(wanted.whole.then(|| wanted.object.name.clone()));
        made.extend(wanted.fields.iter().map(|field| format!("{}.{}", wanted.object.name, field.name)));
    }
    Ok(made)
}

fn failed(why: &str) -> PortError {
    PortError::new(
        PortClass::Settings,
        "DEPLOY",
        format!(
            "The objects and fields could not be made: {why}. The user needs “Modify Metadata” and “Manage Profiles and Permission \
             Sets”; or let an administrator make them by hand, as `forcesync check` lists them."
        ),
    )
}

async fn finished(door: &Door, path: &str) -> Result<Value, PortError> {
    for _ in 0..QUESTIONS {
        let request = Request::get("deploy status", path.to_owned());
        let reply = door.send(&request).await.map_err(|error| error.told("the state of the deploy"))?;
        let said: Value = reply.json().map_err(|error| senseless("a question for a deploy", &error))?;
        let result = said.get("deployResult").cloned().unwrap_or(said);
        if result.get("done") == Some(&Value::Bool(true)) {
            return Ok(result);
        }
        door.sleep(PAUSE).await;
    }
    Err(failed(
        "the org has not finished the deploy within five minutes; look at Deployment Status in its Setup",
    ))
}

/// What the org says is wrong, the first few of it.
fn problems(result: &Value) -> String {
    let listed = result.pointer("/details/componentFailures").and_then(Value::as_array);
    let said: Vec<String> = listed
        .into_iter()
        .flatten()
        .take(5)
        .map(|failure| {
            let text = |name: &str| failure.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("{}: {}", text("fullName"), text("problem"))
        })
        .collect();
    if said.is_empty() {
        result.get("errorMessage").and_then(Value::as_str).unwrap_or("the org gives no reason").to_owned()
    } else {
        said.join("; ")
    }
}

/// Gives the permission set to our user, unless it has it.
async fn assign(door: &Door, base: &str, set: &str) -> Result<(), PortError> {
    let (_, me) = door.ids().await?;
    let query = |text: &str| {
        let encoded: String = text.replace(' ', "+").replace('\'', "%27").replace('=', "%3D");
        Request::get("permission set", format!("{base}/query?q={encoded}"))
    };
    let first_id = |said: &Value| said.pointer("/records/0/Id").and_then(Value::as_str).map(str::to_owned);
    let ask = async |text: String| {
        let reply = door.send(&query(&text)).await.map_err(|error| error.told("the permission set"))?;
        reply.json::<Value>().map_err(|error| senseless("the question for a permission set", &error))
    };
    let found = ask(format!("SELECT Id FROM PermissionSet WHERE Name = '{set}'")).await?;
    let Some(id) = first_id(&found) else {
        return Err(failed(&format!("the permission set {set} is not there although it was deployed")));
    };
    let known = ask(format!(
        "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '{me}' AND PermissionSetId = '{id}'"
    ))
    .await?;
    let body = json!({"AssigneeId": me.as_str(), "PermissionSetId": id}).to_string().into_bytes();
    let path = format!("{base}/sobjects/PermissionSetAssignment");
    match first_id(&known) {
        // What was added to the set counts for whoever has it already.
        Some(_) => Ok(()),
        None => door
            .send(&Request::post("permission set", path, body, Idempotency::Once))
            .await
            .map(drop)
            .map_err(|error| error.told("the assignment of the permission set to our user")),
    }
}

fn multipart(archive: &[u8]) -> Vec<u8> {
    let options = json!({"deployOptions": {
        "allowMissingFiles": false, "autoUpdatePackage": false, "checkOnly": false, "ignoreWarnings": true,
        "performRetrieve": false, "purgeOnDelete": false, "rollbackOnError": true, "singlePackage": true,
        "testLevel": "NoTestRun", "runTests": [],
    }});
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"json\"\r\nContent-Type: application/json\r\n\r\n{options}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"deploy.zip\"\r\nContent-Type: \
         application/zip\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(archive);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn archive(wanted: &[Wanted<'_>], set: &str, label: &str, version: &str) -> Vec<u8> {
    let mut zip = Zip::default();
    zip.add("package.xml", package(wanted, set, version).as_bytes());
    for wanted in wanted {
        zip.add(&format!("objects/{}.object", wanted.object.name), object(wanted).as_bytes());
    }
    zip.add(&format!("permissionsets/{set}.permissionset"), permissions(wanted, label).as_bytes());
    zip.finish()
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Writing to a text can't fail.
macro_rules! put {
    ($text:expr, $($rest:tt)*) => { let _ = write!($text, $($rest)*); };
}

fn package(wanted: &[Wanted<'_>], set: &str, version: &str) -> String {
    let mut xml = format!("{HEAD}<Package xmlns=\"{NAMESPACE}\">");
    let objects: Vec<&str> =
        wanted.iter().filter(|wanted| wanted.whole).map(|wanted| wanted.object.name.as_str()).collect();
    if !objects.is_empty() {
        put!(xml, "<types>");
        for name in objects {
            put!(xml, "<members>{}</members>", escaped(name));
        }
        put!(xml, "<name>CustomObject</name></types>");
    }
    put!(xml, "<types>");
    for wanted in wanted {
        for field in wanted.fields {
            put!(xml, "<members>{}.{}</members>", escaped(&wanted.object.name), escaped(&field.name));
        }
    }
    put!(
        xml,
        "<name>CustomField</name></types><types><members>{}</members><name>PermissionSet</name></types>",
        escaped(set)
    );
    put!(xml, "<version>{}</version></Package>", escaped(version));
    xml
}

fn object(wanted: &Wanted<'_>) -> String {
    let mut xml = format!("{HEAD}<CustomObject xmlns=\"{NAMESPACE}\">");
    let object = wanted.object;
    if wanted.whole {
        put!(
            xml,
            "<label>{}</label><pluralLabel>{}</pluralLabel>",
            escaped(&object.label),
            escaped(&object.plural)
        );
        let name = escaped(&object.name_label);
        match object.auto_number.as_deref().filter(|format| !format.is_empty()) {
            Some(format) => {
                put!(
                    xml,
                    "<nameField><type>AutoNumber</type><label>{name}</label><displayFormat>{}</displayFormat></nameField>",
                    escaped(format)
                );
            }
            None => {
                put!(xml, "<nameField><type>Text</type><label>{name}</label></nameField>");
            }
        }
        put!(xml, "<deploymentStatus>Deployed</deploymentStatus><sharingModel>ReadWrite</sharingModel>");
    }
    for field in wanted.fields {
        put!(
            xml,
            "<fields><fullName>{}</fullName><label>{}</label>",
            escaped(&field.name),
            escaped(&field.label)
        );
        put!(xml, "<type>{}</type>", escaped(&field.kind));
        for (tag, number) in
            [("length", field.length), ("precision", field.precision), ("scale", field.scale)]
        {
            if let Some(number) = number {
                put!(xml, "<{tag}>{number}</{tag}>");
            }
        }
        if field.external_id {
            put!(xml, "<externalId>true</externalId>");
        }
        if field.unique {
            put!(xml, "<unique>true</unique><caseSensitive>false</caseSensitive>");
        }
        if field.kind == "Checkbox" {
            put!(xml, "<defaultValue>false</defaultValue>");
        }
        if field.kind == "LongTextArea" {
            put!(xml, "<visibleLines>5</visibleLines>");
        }
        if let Some(target) = &field.refers_to {
            put!(
                xml,
                "<referenceTo>{}</referenceTo><deleteConstraint>SetNull</deleteConstraint>",
                escaped(target)
            );
            if let Some(name) = &field.child_relationship {
                put!(xml, "<relationshipName>{}</relationshipName>", escaped(name));
            }
        }
        if !field.values.is_empty() {
            put!(xml, "<valueSet><restricted>false</restricted><valueSetDefinition><sorted>false</sorted>");
            for value in &field.values {
                let value = escaped(value);
                put!(
                    xml,
                    "<value><fullName>{value}</fullName><default>false</default><label>{value}</label></value>"
                );
            }
            put!(xml, "</valueSetDefinition></valueSet>");
        }
        put!(xml, "</fields>");
    }
    xml.push_str("</CustomObject>");
    xml
}

fn permissions(wanted: &[Wanted<'_>], label: &str) -> String {
    let mut xml = format!("{HEAD}<PermissionSet xmlns=\"{NAMESPACE}\">");
    for wanted in wanted {
        for field in wanted.fields {
            put!(
                xml,
                "<fieldPermissions><editable>true</editable><field>{}.{}</field><readable>true</readable></fieldPermissions>",
                escaped(&wanted.object.name),
                escaped(&field.name)
            );
        }
    }
    put!(xml, "<label>forcesync {}</label>", escaped(label));
    for wanted in wanted.iter().filter(|wanted| wanted.whole) {
        put!(
            xml,
            "<objectPermissions><allowCreate>true</allowCreate><allowDelete>false</allowDelete><allowEdit>true</allowEdit>\
             <allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords><object>{}</object>\
             <viewAllRecords>true</viewAllRecords></objectPermissions>",
            escaped(&wanted.object.name)
        );
    }
    xml.push_str("</PermissionSet>");
    xml
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::profile;

    #[test]
    fn a_deploy_names_every_object_field_and_permission() {
        let profile = profile("learndot").unwrap();
        let fields: Vec<Vec<&OrgField>> =
            profile.org_objects.iter().map(|object| object.fields.iter().collect()).collect();
        let wanted: Vec<Wanted<'_>> = profile
            .org_objects
            .iter()
            .zip(&fields)
            .map(|(object, fields)| Wanted { object, whole: object.is_custom(), fields })
            .collect();
        let text =
            String::from_utf8_lossy(&archive(&wanted, "Forcesync_Learndot", "Learndot", "67.0")).into_owned();
        for name in [
            "objects/Contact.object",
            "<members>Learndot_Enrolment__c</members>",
            "<referenceTo>Contact</referenceTo>",
            "<field>Contact.Learndot_Id__c</field>",
            "<object>Learndot_Order__c</object>",
        ] {
            assert!(text.contains(name), "{name}");
        }
        assert!(!text.contains("<members>Contact</members>"), "a standard object is not made");
    }
}
