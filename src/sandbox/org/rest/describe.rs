//! Describes: which objects there are, and everything about the fields of one, as far as the user may see.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::Api;
use super::reply::{Call, Reply};
use crate::sandbox::org::moment;
use crate::sandbox::org::schema::{Field, Kind, Object};
use crate::sandbox::org::soql::render::{self, Style};
use crate::sandbox::org::table::Reach;
use crate::sandbox::org::write::MASTER_RECORD_TYPE;

impl Api<'_> {
    /// 304 when the schema has not changed since the date the client names.
    fn unchanged(&self, call: &Call) -> Option<Reply> {
        let modified = self.org.schema_modified_ms();
        let since = call.header("if-modified-since").and_then(moment::parse_http_date)?;
        (modified <= since).then(|| Reply { headers: self.validators(), ..Reply::empty(304) })
    }

    fn validators(&self) -> Vec<(&'static str, String)> {
        let modified = self.org.schema_modified_ms();
        vec![("etag", format!("\"{modified:x}-gzip\"")), ("last-modified", moment::http_date(modified))]
    }

    fn urls(&self, name: &str, full: bool) -> Value {
        let root = format!("/services/data/v{}/sobjects/{name}", self.version);
        let mut urls = json!({
            "sobject": root, "describe": format!("{root}/describe"), "rowTemplate": format!("{root}/{{ID}}"),
            "layouts": format!("{root}/describe/layouts"), "compactLayouts": format!("{root}/describe/compactLayouts"),
            "listviews": format!("{root}/listviews"), "quickActions": format!("{root}/quickActions"),
            "approvalLayouts": format!("{root}/describe/approvalLayouts"),
        });
        if full && let Some(urls) = urls.as_object_mut() {
            let base = &self.base;
            let prefix = self.schema().get(name).map_or("", |found| found.1.prefix.as_str());
            urls.insert("uiDetailTemplate".to_owned(), json!(format!("{base}/{{ID}}")));
            urls.insert("uiEditTemplate".to_owned(), json!(format!("{base}/{{ID}}/e")));
            urls.insert("uiNewRecord".to_owned(), json!(format!("{base}/{prefix}/e")));
        }
        urls
    }

    fn object_facts(&self, place: usize, object: &Object) -> Map<String, Value> {
        let permission = self.rights.object(place);
        let data = object.writable;
        let facts = json!({
            "activateable": false, "associateEntityType": null, "associateParentEntity": null,
            "createable": data && permission.create, "custom": object.custom, "customSetting": false, "deepCloneable": false,
            "deletable": object.deletable && permission.delete, "deprecatedAndHidden": false, "feedEnabled": data && !object.custom,
            "hasSubtypes": false, "isInterface": false, "isSubtype": false, "keyPrefix": object.prefix, "label": object.label,
            "labelPlural": object.plural, "layoutable": data, "mergeable": object.mergeable, "mruEnabled": data, "name": object.name,
            "queryable": true, "replicateable": object.replicateable, "retrieveable": true, "searchable": data, "triggerable": data,
            "undeletable": object.undeletable, "updateable": data && permission.edit,
        });
        match facts {
            Value::Object(facts) => facts,
            _ => Map::new(),
        }
    }

    pub(super) fn describe_global(&self, call: &Call) -> Reply {
        if let Some(reply) = self.unchanged(call) {
            return reply;
        }
        let objects: Vec<Value> = self
            .schema()
            .objects
            .iter()
            .enumerate()
            .filter(|(place, _)| self.rights.object(*place).read)
            .map(|(place, object)| {
                let mut facts = self.object_facts(place, object);
                facts.insert("urls".to_owned(), self.urls(&object.name, false));
                Value::Object(facts)
            })
            .collect();
        let reply = Reply::json(200, &json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}));
        Reply { headers: self.validators(), ..reply }
    }

    pub(super) fn describe_basic(&self, call: &Call, object: usize) -> Reply {
        if let Some(reply) = self.unchanged(call) {
            return reply;
        }
        let Some(shape) = self.schema().objects.get(object) else { return Reply::not_found() };
        let mut facts = self.object_facts(object, shape);
        facts.insert("urls".to_owned(), self.urls(&shape.name, false));
        Reply {
            headers: self.validators(),
            ..Reply::json(200, &json!({"objectDescribe": facts, "recentItems": []}))
        }
    }

    /// Record types of an object, Master always among them.
    fn record_types(&self, object: &Object) -> Vec<Value> {
        let info = |id: &str, name: &str, developer: &str, master: bool, default: bool| {
            json!({"active": true, "available": true, "defaultRecordTypeMapping": default, "developerName": developer, "master": master, "name": name,
                "recordTypeId": id, "urls": {"layout": format!("/services/data/v{}/sobjects/{}/describe/layouts/{id}", self.version, object.name)}})
        };
        let mut types: Vec<Value> = self.read(|world| {
            let Some((types, shape)) = world.schema.get("RecordType") else { return Vec::new() };
            let Some(table) = world.state.table(types) else { return Vec::new() };
            (0..table.len())
                .filter_map(|place| table.visible(place, world.now, Reach::Live))
                .filter_map(|row| {
                    let text = |name: &str| shape.field(name).and_then(|field| row.get(field).as_text());
                    (text("SobjectType")? == object.name).then(|| {
                        let developer = text("DeveloperName").unwrap_or_default();
                        info(
                            text("Id").unwrap_or_default(),
                            text("Name").unwrap_or_default(),
                            developer,
                            false,
                            developer == "Business_Account",
                        )
                    })
                })
                .collect()
        });
        let default = types.is_empty();
        types.push(info(MASTER_RECORD_TYPE, "Master", "Master", true, default));
        types
    }

    pub(super) fn describe(&self, call: &Call, object: usize) -> Reply {
        if call.method != Method::GET {
            return Reply::wrong_method(call, "GET, HEAD");
        }
        if let Some(reply) = self.unchanged(call) {
            return reply;
        }
        let schema = self.schema();
        let Some(shape) = schema.objects.get(object) else { return Reply::not_found() };
        let mut described = self.object_facts(object, shape);
        let fields: Vec<Value> = shape
            .fields
            .iter()
            .enumerate()
            .filter(|(place, _)| self.rights.sees(object, *place))
            .map(|(place, field)| {
                let targets: Vec<&str> = field
                    .targets
                    .iter()
                    .filter_map(|target| schema.objects.get(*target))
                    .map(|target| target.name.as_str())
                    .collect();
                let field = self.rights.column(object, place, field);
                describe_field(&field, &targets, self.rights.edits(object, place))
            })
            .collect();
        let children: Vec<Value> = shape
            .children
            .iter()
            .filter(|child| self.rights.object(child.child).read && self.rights.sees(child.child, child.field))
            .filter_map(|child| {
                let name = &schema.objects.get(child.child)?.name;
                let field = &schema.field(child.child, child.field)?.name;
                Some(json!({"cascadeDelete": child.cascade, "childSObject": name, "deprecatedAndHidden": false, "field": field,
                    "junctionIdListNames": [], "junctionReferenceTo": [], "relationshipName": child.name, "restrictedDelete": false}))
            })
            .collect();
        let label = shape.plural.to_lowercase();
        for (name, value) in [
            ("actionOverrides", json!([])),
            ("childRelationships", Value::Array(children)),
            ("compactLayoutable", json!(shape.writable)),
            ("defaultImplementation", Value::Null),
            ("extendedBy", Value::Null),
            ("extendsInterfaces", Value::Null),
            ("fields", Value::Array(fields)),
            ("implementedBy", Value::Null),
            ("implementsInterfaces", Value::Null),
            ("listviewable", Value::Null),
            ("lookupLayoutable", Value::Null),
            ("namedLayoutInfos", json!([])),
            ("networkScopeFieldName", Value::Null),
            ("recordTypeInfos", Value::Array(self.record_types(shape))),
            ("searchLayoutable", json!(shape.writable)),
            ("sobjectDescribeOption", json!("FULL")),
            (
                "supportedScopes",
                json!([{"label": format!("All {label}"), "name": "everything"}, {"label": format!("My {label}"), "name": "mine"}]),
            ),
            ("urls", self.urls(&shape.name, true)),
        ] {
            described.insert(name.to_owned(), value);
        }
        Reply { headers: self.validators(), ..Reply::json(200, &Value::Object(described)) }
    }

    /// Page layouts, of which the sandbox has one, with every field.
    pub(super) fn layouts(&self, object: usize) -> Reply {
        let Some(shape) = self.schema().objects.get(object) else { return Reply::not_found() };
        let items: Vec<Value> = shape
            .fields
            .iter()
            .filter(|field| field.kind != Kind::Address && field.kind != Kind::Id)
            .map(|field| {
                json!({"layoutItems": [{"editableForNew": field.createable, "editableForUpdate": field.updateable, "label": field.label,
                    "layoutComponents": [{"displayLines": 1, "tabOrder": 1, "type": "Field", "value": field.name}], "placeholder": false, "required": field.required()}], "numItems": 1})
            })
            .collect();
        let layout = json!({"id": null, "detailLayoutSections": [{"heading": "Information", "columns": 1, "rows": items.len(), "layoutRows": items, "useHeading": true}]});
        let mapping = json!([{"available": true, "defaultRecordTypeMapping": true, "developerName": "Master", "layoutId": null, "master": true, "name": "Master", "picklistsForRecordType": null, "recordTypeId": MASTER_RECORD_TYPE}]);
        Reply::json(
            200,
            &json!({"layouts": [layout], "recordTypeMappings": mapping, "recordTypeSelectorRequired": [false]}),
        )
    }

    /// One row with all visible fields, for other resources.
    pub(in crate::sandbox::org) fn row_json(&self, object: usize, place: u32) -> Option<Value> {
        self.read(|world| {
            let row = world.state.row(object, place, world.now, Reach::Live)?;
            let mut out = Vec::new();
            render::write_row(
                &mut out,
                world,
                object,
                row,
                &render::full_shape(world, object),
                Style { version: &self.version, reach: Reach::Live },
            );
            serde_json::from_slice(&out).ok()
        })
    }
}

fn describe_field(field: &Field, targets: &[&str], editable: bool) -> Value {
    let (kind, soap) = field.kind.words();
    let text = field.kind.is_text() || matches!(field.kind, Kind::Id | Kind::Reference);
    let long = field.kind == Kind::TextArea && field.length > 255;
    let bytes =
        if matches!(field.kind, Kind::Id | Kind::Reference) { field.length } else { field.length * 3 };
    let values: Vec<Value> = field
        .values
        .iter()
        .map(|value| json!({"active": true, "defaultValue": field.default.as_deref() == Some(value), "label": value, "validFor": null, "value": value}))
        .collect();
    let groupable = field.filterable()
        && !matches!(
            field.kind,
            Kind::DateTime
                | Kind::Currency
                | Kind::Double
                | Kind::Percent
                | Kind::MultiPicklist
                | Kind::Address
        );
    let default = match (field.kind, field.default.as_deref()) {
        (Kind::Boolean, default) => json!(default == Some("true")),
        _ => Value::Null,
    };
    let system = matches!(field.kind, Kind::Id)
        || matches!(
            field.name.as_str(),
            "IsDeleted"
                | "MasterRecordId"
                | "CreatedDate"
                | "CreatedById"
                | "LastModifiedDate"
                | "LastModifiedById"
                | "SystemModstamp"
                | "OwnerId"
                | "Name"
                | "LastName"
                | "Company"
                | "StageName"
                | "CloseDate"
        );
    let person_name = field.name == "Name" && !field.createable && !field.custom;
    let mut described = Map::new();
    let mut add = |name: &str, value: Value| {
        described.insert(name.to_owned(), value);
    };
    add("aggregatable", json!(field.filterable() && !matches!(field.kind, Kind::Boolean | Kind::Address)));
    add("aiPredictionField", json!(false));
    add("autoNumber", json!(false));
    add("byteLength", json!(if text { bytes } else { 0 }));
    add("calculated", json!(field.calculated));
    add("calculatedFormula", Value::Null);
    add("cascadeDelete", json!(field.cascade && field.custom));
    add("caseSensitive", json!(field.case_sensitive));
    add("compoundFieldName", json!(field.compound));
    add("controllerName", Value::Null);
    add("createable", json!(field.createable && editable));
    add("custom", json!(field.custom));
    add("defaultValue", default);
    add("defaultValueFormula", Value::Null);
    add("defaultedOnCreate", json!(field.defaulted_on_create));
    add("dependentPicklist", json!(false));
    add("deprecatedAndHidden", json!(false));
    add("digits", json!(field.digits));
    add("displayLocationInDecimal", json!(false));
    add("encrypted", json!(false));
    add("externalId", json!(field.external_id));
    let extra = if person_name {
        json!("personname")
    } else if field.kind == Kind::TextArea && field.html {
        json!("richtextarea")
    } else if field.kind == Kind::TextArea {
        json!("plaintextarea")
    } else {
        Value::Null
    };
    add("extraTypeInfo", extra);
    add("filterable", json!(!long));
    add("filteredLookupInfo", Value::Null);
    add("formulaTreatNullNumberAsZero", json!(false));
    add("groupable", json!(groupable));
    add("highScaleNumber", json!(false));
    add("htmlFormatted", json!(field.html));
    add("idLookup", json!(field.id_lookup));
    add("inlineHelpText", Value::Null);
    add("label", json!(field.label));
    add("length", json!(field.length));
    add("mask", Value::Null);
    add("maskType", Value::Null);
    add("name", json!(field.name));
    add("nameField", json!(field.name_field));
    add("namePointing", json!(targets.len() > 1));
    add("nillable", json!(field.nillable));
    add("permissionable", json!(!system));
    add("picklistValues", Value::Array(values));
    add("polymorphicForeignKey", json!(targets.len() > 1));
    add("precision", json!(field.precision));
    add("queryByDistance", json!(field.kind == Kind::Address));
    add("referenceTargetField", Value::Null);
    add("referenceTo", json!(targets));
    add("relationshipName", json!(field.relationship));
    add("relationshipOrder", if field.cascade && field.custom { json!(0) } else { Value::Null });
    add("restrictedDelete", json!(false));
    add("restrictedPicklist", json!(field.restricted));
    add("scale", json!(field.scale));
    add("searchPrefilterable", json!(field.kind == Kind::Reference));
    add("soapType", json!(soap));
    add("sortable", json!(field.sortable()));
    add("type", json!(kind));
    add("unique", json!(field.unique));
    add("updateable", json!(field.updateable && editable));
    add("writeRequiresMasterRead", json!(false));
    Value::Object(described)
}
