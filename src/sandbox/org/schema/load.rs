//! Reads the data files into a [`Schema`]: tab-separated fields of the standard objects, then the files of custom
//! fields, then the places and child lists that follow from them.

use std::collections::HashMap;

use super::custom::{CustomField, CustomObject, ExtraSchema};
use super::{ChildRelationship, Field, Kind, Object, Schema, SystemFields};

const OBJECTS: &str = include_str!("../../../../assets/sandbox/objects/objects.tsv");
const PACKAGE: &str = include_str!("../../../../assets/sandbox/objects/package.toml");

macro_rules! fields_of {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../assets/sandbox/objects/", $name, ".tsv")))
    };
}

const FIELDS: [(&str, &str); 19] = [
    fields_of!("Account"),
    fields_of!("PersonAccount"),
    fields_of!("Contact"),
    fields_of!("Lead"),
    fields_of!("Opportunity"),
    fields_of!("Task"),
    fields_of!("Event"),
    fields_of!("Campaign"),
    fields_of!("CampaignMember"),
    fields_of!("User"),
    fields_of!("Organization"),
    fields_of!("RecordType"),
    fields_of!("Profile"),
    fields_of!("UserRole"),
    fields_of!("Group"),
    fields_of!("OpportunityStage"),
    fields_of!("LeadStatus"),
    fields_of!("PermissionSet"),
    fields_of!("PermissionSetAssignment"),
];

/// A field whose targets are still names.
struct Draft {
    field: Field,
    reference_to: Vec<String>,
}

/// The schema of an org with or without person accounts, with further objects and fields.
pub(in crate::sandbox::org) fn load(person_accounts: bool, extra: &[ExtraSchema]) -> Schema {
    let mut drafts: Vec<(Object, Vec<Draft>)> = Vec::new();
    for line in OBJECTS.lines().skip(1).filter(|line| !line.is_empty()) {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_default().to_owned();
        let (name, label, plural, prefix, abilities) = (next(), next(), next(), next(), next());
        let able = |word: &str| abilities.split(' ').any(|ability| ability == word);
        let source = if name == "Account" && person_accounts { "PersonAccount" } else { name.as_str() };
        let fields =
            FIELDS.iter().find(|entry| entry.0 == source).map_or_else(Vec::new, |entry| standard(entry.1));
        let object = Object {
            name,
            label,
            plural,
            prefix,
            custom: false,
            writable: !able("readonly"),
            deletable: !able("readonly") && !able("nodelete"),
            replicateable: able("replicate"),
            mergeable: able("merge"),
            undeletable: able("undelete"),
            fields: Vec::new(),
            system: SystemFields::default(),
            children: Vec::new(),
            by_name: HashMap::new(),
        };
        drafts.push((object, fields));
    }
    if let Ok(package) = ExtraSchema::parse(PACKAGE) {
        add(&mut drafts, &package, person_accounts);
    }
    for schema in extra {
        add(&mut drafts, schema, person_accounts);
    }
    if person_accounts {
        person_flag(&mut drafts);
    }
    finish(drafts, person_accounts)
}

fn standard(text: &str) -> Vec<Draft> {
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    lines
        .filter(|line| !line.is_empty())
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let cell = |name: &str| {
                let place = columns.iter().position(|column| *column == name)?;
                cells.get(place).copied().filter(|text| !text.is_empty())
            };
            let flag = |name: &str| cell(name) == Some("1");
            let number = |name: &str| cell(name).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
            let list = |name: &str, mark: char| {
                cell(name)
                    .map_or_else(Vec::new, |text| text.split(mark).map(str::to_owned).collect::<Vec<_>>())
            };
            let child = cell("childRelationship");
            Some(Draft {
                reference_to: list("referenceTo", ','),
                field: Field {
                    name: cell("name")?.to_owned(),
                    label: cell("label").unwrap_or_default().to_owned(),
                    kind: Kind::from_word(cell("type")?)?,
                    length: number("length") as usize,
                    precision: number("precision"),
                    scale: number("scale"),
                    digits: number("digits"),
                    nillable: flag("nillable"),
                    createable: flag("createable"),
                    updateable: flag("updateable"),
                    defaulted_on_create: flag("defaultedOnCreate"),
                    unique: flag("unique"),
                    external_id: flag("externalId"),
                    id_lookup: flag("idLookup"),
                    calculated: flag("calculated"),
                    custom: flag("custom"),
                    name_field: flag("nameField"),
                    restricted: flag("restrictedPicklist"),
                    case_sensitive: false,
                    html: false,
                    relationship: cell("relationshipName").map(str::to_owned),
                    targets: Vec::new(),
                    compound: cell("compoundFieldName").map(str::to_owned),
                    values: list("picklistValues", '|'),
                    default: cell("defaultValue").map(str::to_owned),
                    child_relationship: child.map(|name| name.trim_end_matches('!').to_owned()),
                    cascade: child.is_some_and(|name| name.ends_with('!')),
                },
            })
        })
        .collect()
}

fn add(drafts: &mut Vec<(Object, Vec<Draft>)>, extra: &ExtraSchema, person_accounts: bool) {
    for object in &extra.objects {
        if drafts.iter().any(|(known, _)| known.name.eq_ignore_ascii_case(&object.name)) {
            continue;
        }
        let customs = drafts.iter().filter(|(known, _)| known.custom).count();
        let prefix = object.prefix.clone().unwrap_or_else(|| format!("a{customs:02}"));
        drafts.push(custom_object(object, prefix));
    }
    for field in &extra.fields {
        if let Some((_, fields)) =
            drafts.iter_mut().find(|(known, _)| known.name.eq_ignore_ascii_case(&field.object))
        {
            let same = |known: &Draft| known.field.name.eq_ignore_ascii_case(&field.name);
            if field.if_missing && fields.iter().any(same) {
                continue;
            }
            fields.retain(|known| !known.field.name.eq_ignore_ascii_case(&field.name));
            fields.push(field.draft());
        }
        // A custom field of Contact shows on Account as its person twin.
        if person_accounts
            && field.object.eq_ignore_ascii_case("Contact")
            && let Some((_, fields)) = drafts.iter_mut().find(|(known, _)| known.name == "Account")
            && let Some(stem) = field.name.strip_suffix("__c")
        {
            let mut twin = field.draft();
            twin.field.name = format!("{stem}__pc");
            twin.field.relationship = field.relationship_name().map(|name| name.replace("__r", "__pr"));
            twin.field.unique = false;
            twin.field.nillable = twin.field.kind != Kind::Boolean;
            twin.field.child_relationship = None;
            fields.push(twin);
        }
    }
}

impl CustomField {
    fn draft(&self) -> Draft {
        let kind = self.kind();
        let boolean = kind == Kind::Boolean;
        let number = kind.is_number() && kind != Kind::Int;
        let field = Field {
            name: self.name.clone(),
            label: self.label.clone().unwrap_or_else(|| self.name.clone()),
            kind,
            length: self.text_length(),
            precision: if number { self.precision.unwrap_or(18) } else { 0 },
            scale: if number { self.scale.unwrap_or(0) } else { 0 },
            digits: if kind == Kind::Int { 9 } else { 0 },
            nillable: !self.required && !boolean,
            createable: !self.read_only,
            updateable: !self.read_only,
            defaulted_on_create: boolean || self.default.is_some(),
            unique: self.unique,
            external_id: self.external_id,
            id_lookup: self.external_id,
            calculated: self.read_only,
            custom: self.name.ends_with("__c"),
            name_field: false,
            restricted: self.restricted,
            case_sensitive: self.case_sensitive,
            html: self.kind == "html",
            relationship: self.relationship_name(),
            targets: Vec::new(),
            compound: None,
            values: self.values.clone(),
            default: self.default.clone().or_else(|| boolean.then(|| "false".to_owned())),
            child_relationship: self.child_relationship.clone(),
            cascade: self.master_detail,
        };
        Draft { field, reference_to: self.reference_to.clone() }
    }
}

fn custom_object(object: &CustomObject, prefix: String) -> (Object, Vec<Draft>) {
    let plain = |name: &str, label: &str, kind: &str| CustomField::system(name, label, kind);
    let mut fields = vec![plain("Id", "Record ID", "id").draft()];
    let mut owner = plain("OwnerId", "Owner ID", "reference");
    owner.reference_to = vec!["Group".to_owned(), "User".to_owned()];
    fields.push(owner.draft());
    fields.push(plain("IsDeleted", "Deleted", "boolean").draft());
    let mut name = plain("Name", object.name_label.as_deref().unwrap_or("Name"), "string");
    name.length = Some(80);
    fields.push(name.draft());
    for (name, label, kind) in [
        ("CreatedDate", "Created Date", "datetime"),
        ("CreatedById", "Created By ID", "reference"),
        ("LastModifiedDate", "Last Modified Date", "datetime"),
        ("LastModifiedById", "Last Modified By ID", "reference"),
        ("SystemModstamp", "System Modstamp", "datetime"),
    ] {
        let mut field = plain(name, label, kind);
        if kind == "reference" {
            field.reference_to = vec!["User".to_owned()];
        }
        fields.push(field.draft());
    }
    for draft in &mut fields {
        let field = &mut draft.field;
        field.custom = false;
        let own = field.name == "OwnerId" || (field.name == "Name" && !object.auto_number);
        field.calculated = false;
        (field.createable, field.updateable) = (own, own);
        field.nillable = false;
        field.defaulted_on_create = true;
        field.name_field = field.name == "Name";
        field.id_lookup = matches!(field.name.as_str(), "Id" | "Name");
        if field.kind == Kind::Id || field.kind == Kind::Reference {
            field.length = 18;
        }
        if field.kind == Kind::Reference {
            field.relationship = field.name.strip_suffix("Id").map(str::to_owned);
        }
    }
    let label = object.label.clone().unwrap_or_else(|| object.name.clone());
    let built = Object {
        plural: object.plural.clone().unwrap_or_else(|| format!("{label}s")),
        name: object.name.clone(),
        label,
        prefix,
        custom: true,
        writable: true,
        deletable: true,
        replicateable: true,
        mergeable: false,
        undeletable: true,
        fields: Vec::new(),
        system: SystemFields::default(),
        children: Vec::new(),
        by_name: HashMap::new(),
    };
    (built, fields)
}

/// Contact learns whether a row is the shadow of a person account.
fn person_flag(drafts: &mut [(Object, Vec<Draft>)]) {
    if let Some((_, fields)) = drafts.iter_mut().find(|(object, _)| object.name == "Contact") {
        let mut flag = CustomField::system("IsPersonAccount", "Is Person Account", "boolean").draft();
        (flag.field.createable, flag.field.updateable) = (false, false);
        flag.field.custom = false;
        flag.field.calculated = false;
        fields.push(flag);
    }
}

fn finish(drafts: Vec<(Object, Vec<Draft>)>, person_accounts: bool) -> Schema {
    let places: HashMap<String, usize> = drafts
        .iter()
        .enumerate()
        .map(|(place, (object, _))| (object.name.to_ascii_lowercase(), place))
        .collect();
    let mut objects: Vec<Object> = drafts
        .into_iter()
        .map(|(mut object, fields)| {
            object.fields = fields
                .into_iter()
                .map(|draft| {
                    let mut field = draft.field;
                    field.targets = draft
                        .reference_to
                        .iter()
                        .filter_map(|name| places.get(&name.to_ascii_lowercase()).copied())
                        .collect();
                    field
                })
                .collect();
            let names = object.fields.iter().enumerate();
            object.by_name = names
                .flat_map(|(place, field)| {
                    [(field.name.clone(), place), (field.name.to_ascii_lowercase(), place)]
                })
                .collect();
            object.system = SystemFields {
                deleted: object.field("IsDeleted"),
                master: object.field("MasterRecordId"),
                owner: object.field("OwnerId"),
                created: object.field("CreatedDate"),
                created_by: object.field("CreatedById"),
                modified: object.field("LastModifiedDate"),
                modified_by: object.field("LastModifiedById"),
                stamp: object.field("SystemModstamp"),
            };
            object
        })
        .collect();
    let mut children: Vec<(usize, ChildRelationship)> = Vec::new();
    for (child, object) in objects.iter().enumerate() {
        for (place, field) in object.fields.iter().enumerate() {
            for target in &field.targets {
                let name = field.child_relationship.clone().filter(|name| !name.is_empty());
                children
                    .push((*target, ChildRelationship { child, field: place, name, cascade: field.cascade }));
            }
        }
    }
    for (parent, relationship) in children {
        if let Some(object) = objects.get_mut(parent) {
            object.children.push(relationship);
        }
    }
    let by_name = objects
        .iter()
        .enumerate()
        .flat_map(|(place, object)| [(object.name.clone(), place), (object.name.to_ascii_lowercase(), place)])
        .collect();
    let by_prefix =
        objects.iter().enumerate().map(|(place, object)| (object.prefix.clone(), place)).collect();
    Schema { objects, person_accounts, by_name, by_prefix }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_files_load_completely() {
        for persons in [false, true] {
            let schema = load(persons, &[]);
            assert_eq!(schema.objects.len(), 18);
            for object in &schema.objects {
                assert!(object.field("Id").is_some(), "{} has no Id", object.name);
                assert!(object.system.stamp.is_some(), "{} has no SystemModstamp", object.name);
                assert!(
                    object.fields.iter().any(|field| field.name_field)
                        || matches!(object.name.as_str(), "CampaignMember" | "PermissionSetAssignment"),
                    "{}",
                    object.name
                );
            }
            let (_, contact) = schema.get("contact").unwrap();
            assert!(contact.field("salesmanago_id__C").is_some());
            let (_, account) = schema.get("Account").unwrap();
            assert!(
                account
                    .children
                    .iter()
                    .any(|child| child.name.as_deref() == Some("Contacts") && child.cascade)
            );
            assert_eq!(account.field("SALESmanago_Id__pc").is_some(), persons);
        }
    }
}
