//! What an institution has besides people: courses, running, past and in test mode, and who takes them, drawn by seed.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::NovoEd;
use super::school::{Course, Enrollment, STATUSES};

const DAY: i64 = 86_400_000;

/// Catalog id, title, description, days since its end, whether it is in test mode.
const COURSES: [(&str, &str, &str, Option<i64>, bool); 9] = [
    ("design-thinking", "Design Thinking", "From empathy to prototype.", None, false),
    ("leading-change", "Leading Change", "Eight weeks, eight steps.", None, false),
    ("data-for-managers", "Data for Managers", "Numbers, \"stories\",\nand decisions.", None, false),
    ("negotiation", "Negotiation, Step by Step", "What to ask for, and when.", None, false),
    ("onboarding", "Onboarding", "The first thirty days.", None, false),
    ("coaching-2024", "Coaching 2024", "Closed: the autumn cohort.", Some(400), false),
    ("strategy-2024", "Strategy 2024", "Closed: the winter cohort.", Some(330), false),
    ("agile-2025", "Agile 2025", "Closed: the spring cohort.", Some(170), false),
    ("sandbox-course", "Trying Things Out", "Not for learners.", None, true),
];

impl NovoEd {
    /// The courses, which are there before anybody is.
    pub(super) fn found_courses(&self, now: i64) {
        let mut school = self.held_mut();
        for ((catalog_id, title, description, ended, testing), number) in COURSES.into_iter().zip(1_i64..) {
            school.put_course(Course {
                id: 0,
                catalog_id: catalog_id.into(),
                title: title.into(),
                description: description.into(),
                closed: ended.is_some(),
                testing,
                ends: ended.map(|days| now - days * DAY),
                updated: now - (ended.unwrap_or(60) + number) * DAY,
            });
        }
    }

    /// Two of three users take a course or two; some left one, some came back, and some are from past offerings.
    pub(super) fn enroll_everybody(&self, now: i64) {
        let mut school = self.held_mut();
        let users: Vec<u64> = school.users.keys().copied().collect();
        let mut dice = SmallRng::seed_from_u64(self.options.seed ^ 0x0000_70ed);
        for user in users {
            if dice.random_ratio(1, 3) {
                continue;
            }
            let first = dice.random_range(0..COURSES.len());
            let several = dice.random_range(1..=2_usize);
            for step in 0..several {
                let Some((catalog_id, _, _, ended, _)) = COURSES.get((first + step * 4) % COURSES.len())
                else {
                    continue;
                };
                let last = ended.unwrap_or(1);
                let enrolled =
                    now - (last + dice.random_range(20..50)) * DAY - dice.random_range(0..86_400) * 1000;
                let updated = enrolled + dice.random_range(0..15) * DAY;
                // One in forty has a word that no list tells.
                let status = if dice.random_ratio(1, 40) {
                    "certificate_earned"
                } else {
                    STATUSES.get(dice.random_range(0..STATUSES.len())).copied().unwrap_or("not_started")
                };
                let left = dice.random_ratio(1, 8);
                school.left += usize::from(left);
                school.put_enrollment(Enrollment {
                    id: 0,
                    user,
                    course: (*catalog_id).into(),
                    status: status.into(),
                    enrolled,
                    completed: (status == "completed").then_some(updated),
                    unenrolled: left.then_some(updated / 1000 * 1000),
                    updated,
                });
            }
        }
    }
}
