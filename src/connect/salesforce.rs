//! The Salesforce org.
