//! The contract as an OpenAPI document: what `docs/openapi.json` is written from and held against.
//!
//! Schemas come from the types that read the requests and write the answers, statuses from the codes of refusals,
//! limits from their constants, and examples from `docs/gateway.md`. What stands here besides is which code belongs to
//! which path; the tests of the contract ask a running gateway for each of them, and for no other.

mod examples;
mod refusals;
mod schemas;

use glacier_core::intent::RefusalCode::{
    self, CorsNotAllowed, Internal, InvalidRequest, LimitExceeded, MalformedJson, MessageRefused, MisdirectedRequest,
    NotConfigured, NotFound, OperationDenied, TokenExpired, TokenInvalid, TokenMissing, TooLarge, TooManyRequests,
    TooManyStreams, Unavailable, UnsupportedMediaType,
};
use serde_json::{Map, Value, json};

use crate::{batch, events};

const SIGN: [RefusalCode; 15] = [
    MalformedJson,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    LimitExceeded,
    OperationDenied,
    CorsNotAllowed,
    TooLarge,
    UnsupportedMediaType,
    MisdirectedRequest,
    InvalidRequest,
    TooManyRequests,
    Internal,
    NotConfigured,
    Unavailable,
];
/// What a bucket that is asked before something is signed for it can be refused with: S3's codes, with their status here.
const STORE: [(&str, u16); 7] = [
    ("AccessDenied", 403),
    ("InvalidRequest", 400),
    ("NoSuchBucket", 404),
    ("NoSuchUpload", 404),
    ("NotImplemented", 501),
    ("PreconditionFailed", 412),
    ("SlowDown", 503),
];
const DEV_TOKEN: [RefusalCode; 7] =
    [MalformedJson, NotFound, TooLarge, UnsupportedMediaType, MisdirectedRequest, InvalidRequest, Internal];
const EVENTS: [RefusalCode; 9] = [
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    OperationDenied,
    MisdirectedRequest,
    InvalidRequest,
    TooManyRequests,
    TooManyStreams,
    Internal,
];
const SNS: [RefusalCode; 7] =
    [MessageRefused, NotFound, TooLarge, MisdirectedRequest, TooManyRequests, Internal, Unavailable];
const HEALTHZ: [RefusalCode; 2] = [MisdirectedRequest, Internal];

/// The document.
pub fn document() -> Value {
    let mut schemas = schemas::of_requests();
    schemas.append(&mut schemas::of_answers());
    // A refusal carries a code of the gateway or one of S3.
    schemas["Refusal"]["properties"]["code"] = json!({ "anyOf": [
        { "$ref": "#/components/schemas/RefusalCode" },
        { "type": "string", "enum": STORE.map(|(code, _)| code) },
    ] });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The sign contract of glacier-upload",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": "What a page asks a signing gateway for. A page names operations, never requests: the \
                gateway builds method, host, path, query, headers and date itself, signs them, and the page sends them as they \
                are. Requests that a gateway answers with may lead back to itself; they are opaque to the page and not \
                described here. `docs/gateway.md` tells the whole contract in words. Numbers are written without \
                fraction or exponent, objects name each member once.",
        },
        "servers": [{ "url": "/", "description": "The gateway's own origin." }],
        "paths": {
            "/v1/sign": { "post": sign() },
            "/v1/dev-token": { "post": dev_token() },
            events::PATH: { "get": events() },
            crate::sns::PATH: { "post": sns() },
            "/healthz": { "get": healthz() },
            "/readyz": { "get": readyz() },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token that the application's own back end made: docs/tokens.md.",
                },
            },
            "headers": {
                "RequestId": {
                    "description": "Finds the request in the gateway's log.",
                    "required": true,
                    "schema": { "type": "string", "minLength": 1 },
                },
            },
        },
    })
}

fn sign() -> Value {
    json!({
        "operationId": "sign",
        "summary": "Sign a batch of intents",
        "description": format!("Answers with one request for each intent, in the same order, or refuses the whole batch. \
            The body has at most {} bytes.", batch::MAX_LEN),
        "security": [{ "token": [] }],
        "requestBody": {
            "required": true,
            "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Batch" },
                "examples": examples::batches(),
            } },
        },
        "responses": answers("200", json!({
            "description": "The requests to send, in the order of the intents.",
            "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Signed" },
                "example": examples::signed(),
            } },
        }), refusals::by_status(&SIGN, &STORE)),
    })
}

fn dev_token() -> Value {
    json!({
        "operationId": "devToken",
        "summary": "Get a token for development",
        "description": "On the loopback interface only, and only for whoever is there: elsewhere there is no such path.",
        "requestBody": {
            "required": true,
            "content": { "application/json": {
                "schema": { "type": "object", "additionalProperties": false },
                "example": {},
            } },
        },
        "responses": answers("200", json!({
            "description": "A token that may upload and read in the vaults named.",
            "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/DevToken" },
                "example": examples::dev_token(),
            } },
        }), refusals::by_status(&DEV_TOKEN, &[])),
    })
}

fn events() -> Value {
    let mut refusals = refusals::by_status(&EVENTS, &[]);
    // By the accept loop, which knows nothing of refusals.
    let too_long = "The names together are longer than a request's target may be.";
    refusals.insert("414".to_owned(), json!({ "description": too_long }));
    json!({
        "operationId": "events",
        "summary": "Hear when jobs are done",
        "description": "A stream of server-sent events. The token must allow DescribeJob in every vault. A back end \
            without events answers 404.",
        "security": [{ "token": [] }],
        "parameters": [{
            "name": "vault",
            "in": "query",
            "description": "Vaults whose jobs are of interest, each as a pair of its own. There are no other pairs.",
            "required": true,
            "explode": true,
            "style": "form",
            "schema": {
                "type": "array",
                "items": { "$ref": "#/components/schemas/VaultName" },
                "minItems": 1,
                "maxItems": events::MAX_VAULTS,
            },
            "example": ["photos", "films"],
        }],
        "responses": answers("200", json!({
            "description": "`event: job` with what DescribeJob answers as `data`, for every job that is over; a comment \
                after 15 s of silence at the latest.",
            "content": { "text/event-stream": { "schema": { "type": "string" } } },
        }), refusals),
    })
}

fn sns() -> Value {
    json!({
        "operationId": "sns",
        "summary": "Deliver a message of a topic",
        "description": "For Amazon SNS and for stores, not for pages. There is no such path unless the gateway listens \
            to a topic. The content type is not looked at: Amazon SNS calls its JSON plain text.",
        "requestBody": {
            "required": true,
            "content": {
                "application/json": { "schema": { "$ref": "#/components/schemas/TopicMessage" } },
                "text/plain": { "schema": { "type": "string", "contentMediaType": "application/json" } },
            },
        },
        "responses": answers("204", json!({ "description": "Taken, now or before." }), refusals::by_status(&SNS, &[])),
    })
}

fn healthz() -> Value {
    json!({
        "operationId": "health",
        "summary": "See that the gateway answers",
        "responses": answers("200", json!({
            "description": "It does.",
            "content": { "application/json": { "schema": {
                "type": "object",
                "properties": { "status": { "const": "ok" } },
                "required": ["status"],
                "additionalProperties": false,
            } } },
        }), refusals::by_status(&HEALTHZ, &[])),
    })
}

fn readyz() -> Value {
    let states = |status: &str, states: &[&str]| {
        json!({
            "description": status,
            "content": { "application/json": { "schema": {
                "type": "object",
                "properties": { "status": { "enum": states } },
                "required": ["status"],
                "additionalProperties": false,
            } } },
        })
    };
    let mut answers = answers("200", states("It may.", &["ready"]), refusals::by_status(&HEALTHZ, &[]));
    let not_ready = ["shutting down", "waiting for the keys of the tokens' issuer"];
    answers["503"] = states("It may not.", &not_ready);
    json!({ "operationId": "ready", "summary": "See whether requests may be sent here", "responses": answers })
}

/// What an operation answers: one way of success, and every refusal that it knows.
fn answers(status: &str, mut success: Value, mut refusals: Map<String, Value>) -> Value {
    success["headers"] = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
    refusals.insert(status.to_owned(), success);
    refusals.into()
}
