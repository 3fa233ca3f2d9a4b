//! Users, courses and enrollments, and the rules among them. Stamps are whole seconds, as they are shown.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::date;

/// The words of completion that everybody knows.
pub(super) const STATUSES: [&str; 3] = ["not_started", "in_progress", "completed"];

/// Somebody who learns.
#[derive(Debug, Clone, Default)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) external_id: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) updated: i64,
}

/// A course.
#[derive(Debug, Clone, Default)]
pub(super) struct Course {
    pub(super) id: u64,
    pub(super) catalog_id: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) closed: bool,
    pub(super) testing: bool,
    pub(super) ends: Option<i64>,
    pub(super) updated: i64,
}

/// Who is in which course.
#[derive(Debug, Clone, Default)]
pub(super) struct Enrollment {
    pub(super) id: u64,
    pub(super) user: u64,
    pub(super) course: String,
    pub(super) status: String,
    pub(super) enrolled: i64,
    pub(super) completed: Option<i64>,
    pub(super) unenrolled: Option<i64>,
    pub(super) updated: i64,
}

/// What became of enrolling somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enrolled {
    /// They are in now.
    Now(u64),
    /// They were in already; nothing changed.
    Already(u64),
}

/// All of it, with what was changed when.
#[derive(Debug, Default)]
pub(super) struct School {
    pub(super) users: BTreeMap<u64, User>,
    pub(super) courses: BTreeMap<String, Course>,
    pub(super) enrollments: BTreeMap<u64, Enrollment>,
    by_email: HashMap<String, u64>,
    by_place: HashMap<(u64, String), u64>,
    of_user: HashMap<u64, Vec<u64>>,
    pub(super) users_changed: BTreeSet<(i64, u64)>,
    pub(super) courses_changed: BTreeSet<(i64, String)>,
    pub(super) enrollments_changed: BTreeSet<(i64, u64)>,
    last_user: u64,
    last_enrollment: u64,
    /// How often somebody left a course.
    pub(super) left: usize,
}

fn second(ms: i64) -> i64 {
    ms.div_euclid(1000) * 1000
}

impl School {
    /// Takes in a user, new or changed.
    pub(super) fn put_user(&mut self, mut user: User) -> u64 {
        if user.id == 0 {
            self.last_user += 1;
            user.id = self.last_user;
        }
        self.last_user = self.last_user.max(user.id);
        user.updated = second(user.updated);
        if let Some(before) = self.users.get(&user.id) {
            self.users_changed.remove(&(before.updated, before.id));
            self.by_email.remove(&before.email.to_lowercase());
        }
        self.users_changed.insert((user.updated, user.id));
        self.by_email.insert(user.email.to_lowercase(), user.id);
        let id = user.id;
        self.users.insert(id, user);
        id
    }

    /// Takes in a course, new or changed.
    pub(super) fn put_course(&mut self, mut course: Course) {
        course.updated = second(course.updated);
        if course.id == 0 {
            course.id =
                self.courses.get(&course.catalog_id).map_or(self.courses.len() as u64 + 1, |held| held.id);
        }
        if let Some(before) = self.courses.get(&course.catalog_id) {
            self.courses_changed.remove(&(before.updated, before.catalog_id.clone()));
        }
        self.courses_changed.insert((course.updated, course.catalog_id.clone()));
        self.courses.insert(course.catalog_id.clone(), course);
    }

    /// Takes in an enrollment, new or changed.
    pub(super) fn put_enrollment(&mut self, mut enrollment: Enrollment) -> u64 {
        enrollment.updated = second(enrollment.updated);
        if enrollment.id == 0 {
            self.last_enrollment += 1;
            enrollment.id = self.last_enrollment;
            self.of_user.entry(enrollment.user).or_default().push(enrollment.id);
        }
        if let Some(before) = self.enrollments.get(&enrollment.id) {
            self.enrollments_changed.remove(&(before.updated, before.id));
        }
        self.enrollments_changed.insert((enrollment.updated, enrollment.id));
        self.by_place.insert((enrollment.user, enrollment.course.clone()), enrollment.id);
        let id = enrollment.id;
        self.enrollments.insert(id, enrollment);
        id
    }

    pub(super) fn user_called(&self, email: &str) -> Option<&User> {
        self.by_email.get(&email.trim().to_lowercase()).and_then(|id| self.users.get(id))
    }

    pub(super) fn user_known_as(&self, external_id: &str) -> Option<&User> {
        self.users.values().find(|user| !external_id.is_empty() && user.external_id == external_id)
    }

    pub(super) fn place_of(&self, user: u64, course: &str) -> Option<&Enrollment> {
        self.by_place.get(&(user, course.to_owned())).and_then(|id| self.enrollments.get(id))
    }

    pub(super) fn enrollments_of(&self, user: u64) -> impl Iterator<Item = &Enrollment> {
        let ids = self.of_user.get(&user).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.enrollments.get(id))
    }

    /// Puts a user into a course. Who left it comes back by the same enrollment, which forgets when they left.
    pub(super) fn enroll(&mut self, user: u64, course: &str, at: i64, now: i64) -> Enrolled {
        if let Some(held) = self.place_of(user, course).cloned() {
            if held.unenrolled.is_none() {
                return Enrolled::Already(held.id);
            }
            let back = Enrollment { unenrolled: None, updated: now, ..held };
            return Enrolled::Now(self.put_enrollment(back));
        }
        Enrolled::Now(self.put_enrollment(Enrollment {
            user,
            course: course.to_owned(),
            status: "not_started".into(),
            enrolled: at,
            updated: now,
            ..Enrollment::default()
        }))
    }

    /// Takes a user out of a course; whether they were in.
    pub(super) fn unenroll(&mut self, user: u64, course: &str, now: i64) -> bool {
        let Some(held) = self.place_of(user, course).filter(|held| held.unenrolled.is_none()).cloned() else {
            return false;
        };
        self.left += 1;
        self.put_enrollment(Enrollment { unenrolled: Some(second(now)), updated: now, ..held });
        true
    }

    /// Says how far somebody is.
    pub(super) fn progress(&mut self, id: u64, status: &str, now: i64) -> bool {
        let Some(held) = self.enrollments.get(&id).cloned() else { return false };
        let completed = (status == "completed").then_some(second(now));
        self.put_enrollment(Enrollment { status: status.to_owned(), completed, updated: now, ..held });
        true
    }
}

fn filled(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

impl User {
    /// As it is answered.
    pub(super) fn shown(&self) -> Value {
        json!({
            "user_id": self.id, "external_id": filled(&self.external_id), "first_name": self.first_name,
            "last_name": self.last_name, "email": self.email, "updated_at": date(self.updated),
        })
    }
}

impl Course {
    /// As it is answered.
    pub(super) fn shown(&self) -> Value {
        json!({
            "course_id": self.id, "catalog_id": self.catalog_id, "title": self.title, "description": self.description,
            "state": self.state(), "mode": self.mode(), "ends_at": self.ends.map(date), "updated_at": date(self.updated),
        })
    }

    pub(super) fn state(&self) -> &'static str {
        if self.closed { "closed" } else { "open" }
    }

    pub(super) fn mode(&self) -> &'static str {
        if self.testing { "test" } else { "production" }
    }
}

impl Enrollment {
    /// As it is answered.
    pub(super) fn shown(&self) -> Value {
        json!({
            "enrollment_id": self.id, "user_id": self.user, "catalog_id": self.course, "status": self.status,
            "enrolled_at": date(self.enrolled), "completed_at": self.completed.map(date),
            "unenrolled_at": self.unenrolled.map(date), "updated_at": date(self.updated),
        })
    }
}
