//! What a refusal means for the session, and whether a call is worth another try.

use std::time::Duration;

use crate::connect::budget::Refusal;
use crate::connect::http::{Idempotency, Reply, Verdict};
use crate::connect::salesforce::errors::{self, Fault, Topic};

/// Too many long calls at once: the others need some time.
const CONCURRENCY_PAUSE: Duration = Duration::from_secs(5);

/// Words of a 401 that a new session would not cure; signing in again would go on for ever.
const LASTING_401: [&str; 2] =
    ["session is not valid for use with the REST API", "Connected app is not attached to Agent"];

pub(super) fn version_number(text: &str) -> Option<(u32, u32)> {
    let text = text.trim().trim_start_matches('v');
    match text.split_once('.') {
        Some((major, minor)) => Some((major.parse().ok()?, minor.parse().ok()?)),
        None => Some((text.parse().ok()?, 0)),
    }
}

/// Whether a refusal means that a new session would help.
pub(super) fn is_session_over(fault: &Fault) -> bool {
    let named = errors::topic(&fault.code) == Some(Topic::Session);
    let refused = fault.status == 401 || (fault.status == 403 && named) || (fault.status == 500 && named);
    refused && !LASTING_401.iter().any(|words| fault.message.contains(words))
}

/// The limit that a refusal is about, where it is about one that lasts.
pub(super) fn limit_of(fault: &Fault) -> Option<Refusal> {
    match errors::topic(&fault.code) {
        Some(Topic::Quota) if !errors::is_concurrency(&fault.message) => Some(Refusal::Daily),
        None if matches!(fault.status, 420 | 429) => Some(Refusal::TooMany),
        _ => None,
    }
}

/// Whether a refusal by the day's limit is contradicted by the org's own count, which may lag behind a little.
pub(super) fn is_doubtful(reply: &Reply, used: u64, limit: u64) -> bool {
    reply.status == 403
        && limit_of(&Fault::from_reply(reply)) == Some(Refusal::Daily)
        && used < limit / 10 * 9
}

/// Whether a reply asks for another try, and another try is safe.
pub(super) fn judge(reply: &Reply, idempotency: Idempotency) -> Verdict {
    if reply.status < 400 {
        return Verdict::Take;
    }
    let fault = Fault::from_reply(reply);
    let topic = errors::topic(&fault.code);
    if topic == Some(Topic::Quota) && errors::is_concurrency(&fault.message) {
        return Verdict::AgainAfter(CONCURRENCY_PAUSE);
    }
    let refused_before_work =
        matches!(reply.status, 420 | 429 | 503) || (reply.status == 406 && reply.body.is_empty());
    let passing = match idempotency {
        Idempotency::Once => refused_before_work,
        Idempotency::Repeatable => {
            refused_before_work || reply.status >= 500 || topic == Some(Topic::Transient)
        }
    };
    match (passing, reply.retry_after()) {
        (false, _) => Verdict::Take,
        (true, Some(pause)) => Verdict::AgainAfter(pause.max(Duration::from_millis(1))),
        (true, None) => Verdict::Again,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, code: &str, message: &str) -> Fault {
        Fault { status, code: code.into(), message: message.into() }
    }

    #[test]
    fn only_a_dead_session_is_renewed() {
        assert!(is_session_over(&fault(401, "INVALID_SESSION_ID", "Session expired or invalid")));
        assert!(is_session_over(&fault(403, "INVALID_SESSION_ID", "Session expired or invalid")));
        assert!(!is_session_over(&fault(403, "HTTP_403", "a web page instead of data")));
        let words = "This session is not valid for use with the REST API";
        assert!(!is_session_over(&fault(401, "INVALID_SESSION_ID", words)));
        assert!(!is_session_over(&fault(401, "HTTP_401", "Connected app is not attached to Agent")));
    }

    #[test]
    fn a_lasting_limit_is_told_from_a_passing_one() {
        let quota = |words| fault(403, "REQUEST_LIMIT_EXCEEDED", words);
        assert_eq!(limit_of(&quota("TotalRequests Limit exceeded.")), Some(Refusal::Daily));
        assert_eq!(limit_of(&quota("ConcurrentRequests (Concurrent API Requests) Limit exceeded.")), None);
        assert_eq!(limit_of(&fault(429, "HTTP_429", "an empty reply")), Some(Refusal::TooMany));
        assert_eq!(limit_of(&fault(503, "HTTP_503", "an empty reply")), None);
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(version_number("100") > version_number("67.0"));
        assert_eq!(version_number("v67.0"), Some((67, 0)));
        assert_eq!(version_number("latest"), None);
    }
}
