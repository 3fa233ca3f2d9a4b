//! A Salesforce org and the platforms, emulated over real HTTP on loopback.
