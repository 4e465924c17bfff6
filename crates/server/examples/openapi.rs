//! Prints the OpenAPI document of the gateway: what `docs/openapi.json` holds.

fn main() {
    println!("{:#}", glacier_upload_server::openapi::document());
}
