//! What the org allows and how much of it is used.

use serde_json::{Map, Value, json};

use super::Api;
use super::reply::{Call, Reply};

impl Api<'_> {
    pub(super) fn limits(&self) -> Reply {
        let (used, max) = self.org.usage();
        let full = |max: u64| json!({"Max": max, "Remaining": max});
        let mut limits: Map<String, Value> = [
            ("ActiveScratchOrgs", 0),
            ("ConcurrentAsyncGetReportInstances", 200),
            ("ConcurrentSyncReportRuns", 20),
            ("DailyAsyncApexExecutions", 250_000),
            ("DailyBulkApiBatches", 15_000),
            ("DailyBulkV2QueryFileStorageMB", 976_562),
            ("DailyBulkV2QueryJobs", 10_000),
            ("DailyDurableStreamingApiEvents", 200_000),
            ("DailyGenericStreamingApiEvents", 10_000),
            ("DailyStreamingApiEvents", 200_000),
            ("DailyWorkflowEmails", 1_000),
            ("DataStorageMB", 10_240),
            ("DurableStreamingApiConcurrentClients", 1_000),
            ("FileStorageMB", 10_240),
            ("HourlyPublishedPlatformEvents", 50_000),
            ("HourlyTimeBasedWorkflow", 500),
            ("MassEmail", 5_000),
            ("SingleEmail", 5_000),
            ("StreamingApiConcurrentClients", 1_000),
        ]
        .into_iter()
        .map(|(name, max)| (name.to_owned(), full(max)))
        .collect();
        limits.insert(
            "DailyApiRequests".to_owned(),
            json!({"Max": max, "Remaining": max.saturating_sub(used)}),
        );
        Reply::json(200, &Value::Object(limits))
    }

    pub(super) fn record_count(&self, call: &Call) -> Reply {
        let wanted: Option<Vec<String>> = call
            .parameter("sObjects")
            .map(|names| names.split(',').map(|name| name.trim().to_ascii_lowercase()).collect());
        let counts: Vec<Value> = self.read(|world| {
            let objects = world.schema.objects.iter().enumerate();
            objects
                .filter(|(place, _)| world.rights.object(*place).read)
                .filter(|(_, shape)| {
                    wanted.as_ref().is_none_or(|wanted| wanted.contains(&shape.name.to_ascii_lowercase()))
                })
                .filter_map(|(place, shape)| {
                    let count = world.state.table(place)?.live();
                    (count > 0).then(|| json!({"count": count, "name": shape.name}))
                })
                .collect()
        });
        Reply::json(200, &json!({"sObjects": counts}))
    }
}
