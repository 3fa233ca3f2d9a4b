//! The sandbox's own way in: who is there on the first day, what people do in the web app, and the dump.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use serde_json::{Map, Value, json};

use super::data::shown;
use super::school::{Course, Enrolled, Enrollment, User};
use super::{NovoEd, NovoEdOptions};
use crate::sandbox::life::Deed;
use crate::sandbox::org::Org;
use crate::sandbox::people::{Kind, People, Person};
use crate::sandbox::platform::{Emulator, Founding, NewPerson};

/// What the vendor's package adds to the org.
const PACKAGE: &str = include_str!("../../../../assets/sandbox/objects/novoed.toml");

/// A course in which people of the web app enroll.
const RUNNING: [&str; 5] =
    ["design-thinking", "leading-change", "data-for-managers", "negotiation", "onboarding"];

/// So many users were imported within one second.
const IMPORTED: u64 = 8;

impl NovoEd {
    /// An institution as the sandbox wants it.
    pub fn found(founding: &Founding<'_>) -> Arc<dyn Emulator> {
        let options =
            NovoEdOptions { seed: founding.seed, real_pace: founding.real_pace, ..NovoEdOptions::default() };
        let site = Self::new(options, Arc::clone(founding.clock));
        site.found_courses(founding.clock.now_ms());
        site
    }

    fn enroll_in_app(&self, fields: &Map<String, Value>) -> Result<String, String> {
        let text = |name: &str| fields.get(name).map(plain).unwrap_or_default();
        let now = self.clock.now_ms();
        let mut school = self.held_mut();
        let named =
            text("enrollment_id").parse::<u64>().ok().and_then(|id| school.enrollments.get(&id).cloned());
        let (user, course) = if let Some(held) = &named {
            (held.user, held.course.clone())
        } else {
            let user = text("user_id").parse::<u64>().ok();
            let user = user.or_else(|| school.user_called(&text("email")).map(|user| user.id));
            (user.ok_or("There is no such user")?, text("catalog_id"))
        };
        if !school.courses.contains_key(&course) {
            return Err(format!("There is no course {course}"));
        }
        if fields.get("unenroll") == Some(&json!(true)) {
            let left = school.unenroll(user, &course, now);
            return if left { Ok(String::new()) } else { Err("The learner is not in this course".into()) };
        }
        let id = match school.enroll(user, &course, now, now) {
            Enrolled::Now(id) | Enrolled::Already(id) => id,
        };
        let status = text("status");
        if !status.is_empty() {
            school.progress(id, &status, now);
        }
        Ok(id.to_string())
    }

    fn save_course(&self, fields: &Map<String, Value>) -> Result<String, String> {
        let text = |name: &str| fields.get(name).map(plain);
        let catalog_id = text("catalog_id").or_else(|| text("id"));
        let catalog_id = catalog_id.filter(|id| !id.is_empty()).ok_or("catalog_id is missing")?;
        let now = self.clock.now_ms();
        let mut school = self.held_mut();
        let held = school.courses.get(&catalog_id).cloned();
        let mut course = held.unwrap_or(Course { catalog_id: catalog_id.clone(), ..Course::default() });
        if let Some(title) = text("title") {
            course.title = title;
        }
        if let Some(description) = text("description") {
            course.description = description;
        }
        if let Some(state) = text("state") {
            course.closed = state == "closed";
            course.ends = course.closed.then_some(now);
        }
        if let Some(mode) = text("mode") {
            course.testing = mode != "production";
        }
        course.updated = now;
        school.put_course(course);
        Ok(catalog_id)
    }

    /// The enrollment in which somebody does something.
    fn some_enrollment(&self, user: u64) -> Option<Enrollment> {
        self.held().enrollments_of(user).find(|place| place.unenrolled.is_none()).cloned()
    }
}

/// A record with its id under the name that the sandbox's own way in uses for all platforms.
fn named(mut shown: Value, id: &str) -> Value {
    let held = shown.get(id).cloned().unwrap_or_default();
    if let Value::Object(fields) = &mut shown {
        fields.insert("id".into(), held);
    }
    shown
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Emulator for NovoEd {
    fn router(self: Arc<Self>) -> Router {
        self.routes()
    }

    fn sign_in(&self, url: &str) -> Map<String, Value> {
        let fields = [
            ("endpoint", json!(url)),
            ("api_key", json!(self.options.key.0)),
            ("api_secret", json!(self.options.key.1)),
            ("admin_email", json!(self.options.admin)),
            ("connected_on", json!(format!("{}Z", shown(self.founded.load(Ordering::Relaxed))))),
        ];
        // What limits the calls of the real service limits them here only where that is asked for.
        let hours = ["calls_per_hour", "calls_per_day"].map(|name| (name, json!(0)));
        let hours = hours.into_iter().filter(|_| !self.options.real_pace);
        fields.into_iter().chain(hours).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn org_schema(&self) -> Option<&'static str> {
        Some(PACKAGE)
    }

    fn org_mark(&self) -> Option<&'static str> {
        Some("NovoEd_Id__c")
    }

    /// NovoEd knows users; leads and person accounts have no twins there.
    fn takes(&self, kind: Kind) -> bool {
        kind == Kind::Contact
    }

    fn reserve_id(&self) -> String {
        (self.reserved.fetch_add(1, Ordering::Relaxed) + 1).to_string()
    }

    fn seed_person(&self, new: NewPerson<'_>, now: i64) {
        let person = new.person;
        let id = new.id.as_deref().and_then(|id| id.parse().ok());
        let id = id.unwrap_or_else(|| self.reserved.fetch_add(1, Ordering::Relaxed) + 1);
        if new.deleted || person.email.is_empty() {
            return;
        }
        // The first ones came by one import.
        let updated = if id <= IMPORTED { now - 90 * 86_400_000 } else { now + person.modified };
        self.held_mut().put_user(User {
            id,
            external_id: String::new(),
            first_name: person.given.clone(),
            last_name: person.family.clone(),
            email: person.email.clone(),
            updated,
        });
    }

    fn seed_rest(&self, _people: &People, _org: &Arc<Org>, now: i64) {
        self.founded.store(now, Ordering::Relaxed);
        self.enroll_everybody(now);
    }

    fn live(&self, deed: Deed, person: &Person, known: &mut Vec<String>, at: usize) -> bool {
        if deed == Deed::Joined {
            let fields = Map::from_iter([
                ("email".to_owned(), json!(person.email)),
                ("first_name".to_owned(), json!(person.given)),
                ("last_name".to_owned(), json!(person.family)),
            ]);
            return self.upsert("user", &fields).map(|id| known.push(id)).is_ok();
        }
        let Some(id) = known.get(at).and_then(|id| id.parse::<u64>().ok()) else { return false };
        let now = self.clock.now_ms();
        match deed {
            Deed::Married => {
                let fields = Map::from_iter([("last_name".to_owned(), json!(person.family))]);
                self.save_user(id, &fields).is_ok()
            }
            // What people do here: they get on with a course, take another one, or leave one.
            Deed::Phone | Deed::Title => match self.some_enrollment(id) {
                Some(place) => {
                    let next = if place.status == "not_started" { "in_progress" } else { "completed" };
                    self.held_mut().progress(place.id, next, now)
                }
                None => false,
            },
            Deed::Moved => {
                let course = RUNNING.get(at % RUNNING.len()).copied().unwrap_or("onboarding");
                let there = self.held().users.contains_key(&id);
                there && matches!(self.held_mut().enroll(id, course, now, now), Enrolled::Now(_))
            }
            Deed::OptedOut | Deed::Deleted => match self.some_enrollment(id) {
                Some(place) => self.held_mut().unenroll(id, &place.course, now),
                None => false,
            },
            Deed::Joined | Deed::Undeleted | Deed::Merged | Deed::Converted => false,
        }
    }

    fn objects(&self) -> &'static [&'static str] {
        &["user", "course", "enrollment"]
    }

    fn records(&self, object: &str) -> Vec<Value> {
        let school = self.held();
        match object {
            "user" => school.users.values().map(|user| named(user.shown(), "user_id")).collect(),
            "course" => school.courses.values().map(|course| named(course.shown(), "catalog_id")).collect(),
            "enrollment" => {
                school.enrollments.values().map(|place| named(place.shown(), "enrollment_id")).collect()
            }
            _ => Vec::new(),
        }
    }

    fn record(&self, object: &str, id: &str) -> Option<Value> {
        let school = self.held();
        match object {
            "user" => {
                let user = id.parse::<u64>().ok().and_then(|id| school.users.get(&id));
                user.or_else(|| school.user_called(id)).map(|user| named(user.shown(), "user_id"))
            }
            "course" => school.courses.get(id).map(|course| named(course.shown(), "catalog_id")),
            "enrollment" => {
                let place = school.enrollments.get(&id.parse::<u64>().ok()?);
                place.map(|place| named(place.shown(), "enrollment_id"))
            }
            _ => None,
        }
    }

    /// Besides records, `session` signs the Org Admin in and out (`signed_in`), ends all tokens (`end_tokens`) and sets how many rows an
    /// answer of the data interface has (`rows_of_an_answer`).
    fn upsert(&self, object: &str, fields: &Map<String, Value>) -> Result<String, String> {
        match object {
            "user" => {
                let id = fields.get("user_id").or_else(|| fields.get("id")).map(plain);
                let id = id.and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
                if id != 0 && !self.held().users.contains_key(&id) {
                    return Err(format!("There is no user {id}"));
                }
                self.save_user(id, fields).map(|id| id.to_string())
            }
            "course" => self.save_course(fields),
            "enrollment" => self.enroll_in_app(fields),
            "session" => {
                if let Some(signed_in) = fields.get("signed_in").and_then(Value::as_bool) {
                    self.signed_in.store(signed_in, Ordering::Relaxed);
                }
                if fields.get("end_tokens") == Some(&json!(true)) {
                    self.end_tokens();
                }
                let rows = fields.get("rows_of_an_answer").and_then(Value::as_u64);
                if let Some(rows) = rows.and_then(|rows| usize::try_from(rows).ok()) {
                    self.rows_of_an_answer.store(rows.max(1), Ordering::Relaxed);
                }
                Ok(String::new())
            }
            _ => Err(format!("There is no object {object}")),
        }
    }

    /// Nothing is deleted here; who leaves a course is unenrolled.
    fn delete(&self, object: &str, id: &str) -> Result<(), String> {
        let place = match object {
            "enrollment" => id.parse::<u64>().ok().and_then(|id| self.held().enrollments.get(&id).cloned()),
            _ => None,
        };
        let place = place.ok_or("NovoEd deletes nothing; unenroll instead")?;
        let now = self.clock.now_ms();
        if self.held_mut().unenroll(place.user, &place.course, now) {
            Ok(())
        } else {
            Err("The learner is not in this course".into())
        }
    }

    fn counts(&self) -> (usize, usize) {
        (self.held().users.len(), 0)
    }

    fn side_effects(&self) -> Value {
        json!({"left": self.held().left})
    }

    fn set_feed_delay_ms(&self, delay: i64) {
        self.feed_delay_ms.store(delay.max(0), Ordering::Relaxed);
    }
}
