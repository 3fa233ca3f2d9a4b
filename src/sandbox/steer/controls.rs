//! The switches: faults, life, clock, limits and rights.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refused, Steering, answer, parse};
use crate::sandbox::faults::{Fault, FaultKind, Side};
use crate::sandbox::life::Deed;
use crate::sandbox::org::{Approval, FieldChange, FieldPermission, ObjectPermission};

#[derive(Deserialize)]
#[serde(untagged)]
enum Faults {
    Many(Vec<Fault>),
    Set(FaultSet),
    One(Box<Fault>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultSet {
    #[serde(default)]
    clear: bool,
    #[serde(default)]
    faults: Vec<Fault>,
}

/// `POST /_sandbox/faults`.
pub(super) async fn faults(State(steering): State<Arc<Steering>>, body: Bytes) -> Result<Response, Refused> {
    let value: Value = parse(&body)?;
    // An untagged enum would swallow the reason, so a single fault is read by itself.
    let ordered = if value.get("kind").is_some() {
        let fault = Fault::deserialize(&value)
            .map_err(|error| Refused(format!("The fault cannot be read: {error}")))?;
        Faults::One(Box::new(fault))
    } else {
        Faults::deserialize(&value).map_err(|_error| {
            Refused(
                "Send a fault with its kind, a list of faults, or {\"clear\": true, \"faults\": […]}".into(),
            )
        })?
    };
    let list = match ordered {
        Faults::One(fault) => vec![*fault],
        Faults::Many(list) => list,
        Faults::Set(set) => {
            if set.clear {
                steering.faults.clear();
            }
            set.faults
        }
    };
    for fault in list {
        steering.faults.arm(fault);
    }
    steering.follow_faults();
    Ok(answer(&json!({"armed": steering.faults.armed()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LifeBody {
    per_second: Option<f64>,
    once: Option<u64>,
    rates: Option<BTreeMap<Deed, u32>>,
}

/// `POST /_sandbox/life`.
pub(super) async fn life(State(steering): State<Arc<Steering>>, body: Bytes) -> Result<Response, Refused> {
    let ordered: LifeBody = parse(&body)?;
    if let Some(rate) = ordered.per_second {
        steering.life.set_per_second(rate);
    }
    if let Some(rates) = &ordered.rates {
        steering.life.change_rates(rates);
    }
    let mut happened = 0;
    if let Some(number) = ordered.once {
        let life = Arc::clone(&steering.life);
        happened = tokio::task::spawn_blocking(move || life.happen(number)).await.unwrap_or_default();
    }
    let life = &steering.life;
    Ok(answer(&json!({
        "per_second": life.per_second(),
        "edits": life.edits(),
        "happened": happened,
        "rates": life.rates(),
        "deeds": life.deeds(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_ms: Option<i64>,
    advance: Option<String>,
}

/// `POST /_sandbox/clock`.
pub(super) async fn clock(State(steering): State<Arc<Steering>>, body: Bytes) -> Result<Response, Refused> {
    let ordered: ClockBody = parse(&body)?;
    let words = ordered.advance.as_deref().map(|text| {
        milliseconds(text).ok_or_else(|| Refused(format!("{text} is not a time such as 90s, 15m, 36h or 2d")))
    });
    steering.clock.advance(ordered.advance_ms.unwrap_or_default() + words.transpose()?.unwrap_or_default());
    Ok(answer(&json!({"now_ms": steering.clock.now_ms()})))
}

/// Milliseconds of `90s`, `15m`, `36h`, `2d` or `250ms`.
fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    units.iter().find_map(|(unit, factor)| {
        let number: i64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(*factor)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsBody {
    daily_limit: Option<u64>,
    calls_by_others: Option<u64>,
    job_polls: Option<u32>,
    delivery_copies: Option<u32>,
    job_ms: Option<i64>,
    jobs_break_after: Option<usize>,
    records_per_second: Option<u64>,
    late_commit_ms: Option<Delays>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delays {
    salesforce: Option<u64>,
    platform: Option<u64>,
}

/// `POST /_sandbox/limits`.
pub(super) async fn limits(State(steering): State<Arc<Steering>>, body: Bytes) -> Result<Response, Refused> {
    let ordered: LimitsBody = parse(&body)?;
    if let Some(limit) = ordered.daily_limit {
        steering.org.set_daily_limit(limit);
    }
    if let Some(calls) = ordered.calls_by_others {
        steering.org.set_calls_by_others(calls);
    }
    if let Some(copies) = ordered.delivery_copies {
        steering.platform.set_delivery_copies(copies);
    }
    if let Some(polls) = ordered.job_polls {
        steering.platform.set_job_polls(polls);
    }
    if let Some(ms) = ordered.job_ms {
        steering.org.set_job_delay(ms.max(0));
    }
    if let Some(rows) = ordered.jobs_break_after {
        steering.org.set_jobs_break_after(Some(rows).filter(|rows| *rows > 0));
    }
    if let Some(rows) = ordered.records_per_second {
        steering.org.set_records_per_second(rows);
    }
    if let Some(delays) = ordered.late_commit_ms {
        for (side, delay) in [(Side::Salesforce, delays.salesforce), (Side::Platform, delays.platform)] {
            if let Some(ms) = delay {
                let fault = Fault { ms: Some(ms), ..Fault::new(FaultKind::LateCommit) };
                steering.faults.arm(fault.on_side(side));
            }
        }
        steering.follow_faults();
    }
    Ok(answer(&json!({
        "api_calls_used": steering.org.api_calls_used(),
        "records_moved": steering.org.records_moved(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrgBody {
    locked: Option<bool>,
    api_disabled: Option<bool>,
    password_expired: Option<bool>,
    duplicate_rule: Option<bool>,
    approval: Option<Approval>,
    callback_urls: Option<Vec<String>>,
    app_scopes: Option<Vec<String>>,
    require_secret: Option<bool>,
    rotate_refresh_tokens: Option<bool>,
    #[serde(default)]
    expire_sessions: bool,
    #[serde(default)]
    expire_locators: bool,
    field: Option<FieldBody>,
    object: Option<ObjectBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldBody {
    object: String,
    name: String,
    permission: Option<PermissionWord>,
    /// Whether it is deleted; a field of that name is there again with `false`.
    deleted: Option<bool>,
    length: Option<usize>,
    required: Option<bool>,
    restricted: Option<bool>,
    values: Option<Vec<String>>,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Whether all that was changed about it is taken back.
    #[serde(default)]
    as_founded: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum PermissionWord {
    Edit,
    Read,
    Hidden,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectBody {
    name: String,
    #[serde(default = "granted")]
    read: bool,
    #[serde(default = "granted")]
    create: bool,
    #[serde(default = "granted")]
    edit: bool,
    #[serde(default = "granted")]
    delete: bool,
}

fn granted() -> bool {
    true
}

/// `POST /_sandbox/org`.
pub(super) async fn org(State(steering): State<Arc<Steering>>, body: Bytes) -> Result<Response, Refused> {
    let ordered: OrgBody = parse(&body)?;
    if let Some(locked) = ordered.locked {
        steering.org.set_locked(locked);
    }
    if let Some(disabled) = ordered.api_disabled {
        steering.org.set_api_disabled(disabled);
    }
    if let Some(expired) = ordered.password_expired {
        steering.org.set_password_expired(expired);
    }
    if let Some(on) = ordered.duplicate_rule {
        steering.org.set_duplicate_rule(on);
    }
    if let Some(approval) = ordered.approval {
        steering.org.set_approval(approval);
    }
    if let Some(urls) = ordered.callback_urls {
        steering.org.set_callback_urls(urls);
    }
    if let Some(scopes) = ordered.app_scopes {
        steering.org.set_app_scopes(scopes);
    }
    if let Some(required) = ordered.require_secret {
        steering.org.set_require_secret(required);
    }
    if let Some(rotates) = ordered.rotate_refresh_tokens {
        steering.org.set_rotate_refresh_tokens(rotates);
    }
    if ordered.expire_sessions {
        steering.org.expire_sessions();
    }
    if ordered.expire_locators {
        steering.org.expire_locators();
    }
    if let Some(field) = ordered.field {
        let unknown = || Refused(format!("{} has no field {}", field.object, field.name));
        let permission = match (field.permission, field.deleted) {
            // For the API, what is deleted and what is hidden look the same.
            (Some(PermissionWord::Hidden), _) | (_, Some(true)) => Some(FieldPermission::Hidden),
            (Some(PermissionWord::Read), _) => Some(FieldPermission::Read),
            (Some(PermissionWord::Edit), _) | (None, Some(false)) => Some(FieldPermission::Edit),
            (None, None) => field.as_founded.then_some(FieldPermission::Edit),
        };
        if let Some(permission) = permission
            && !steering.org.set_field_permission(&field.object, &field.name, permission)
        {
            return Err(unknown());
        }
        let change = FieldChange {
            length: field.length,
            required: field.required,
            restricted: field.restricted,
            values: field.values.clone(),
            kind: field.kind.clone(),
        };
        if (field.as_founded || change != FieldChange::default())
            && !steering.org.change_field(&field.object, &field.name, change)
        {
            return Err(unknown());
        }
    }
    if let Some(object) = ordered.object {
        let ObjectBody { name, read, create, edit, delete } = object;
        if !steering.org.set_object_permission(&name, ObjectPermission { read, create, edit, delete }) {
            return Err(Refused(format!("There is no object {name}")));
        }
    }
    Ok(answer(&json!({"done": true})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(milliseconds("36h"), Some(129_600_000));
        assert_eq!(milliseconds("250ms"), Some(250));
        assert_eq!(milliseconds("-2d"), Some(-172_800_000));
        assert_eq!(milliseconds("soon"), None);
    }
}
