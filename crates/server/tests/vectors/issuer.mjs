// An issuer of tokens that shares no code with the gateway: prints its JWKS and tokens, good ones and others.
// Called with the time in seconds.

import { createHmac, generateKeyPairSync, sign } from "node:crypto";

const now = Number(process.argv[2]);
const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ec384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
const ed = generateKeyPairSync("ed25519");
const jwk = (pair, members) => ({ ...pair.publicKey.export({ format: "jwk" }), ...members });
const symmetric = Buffer.alloc(32, "0123456789abcdef");
const jwks = {
  keys: [
    { kty: "oct", kid: "oct", alg: "HS256", k: symmetric.toString("base64url") },
    { kty: "unheard-of", kid: "new" },
    jwk(weak, { kid: "weak", alg: "RS256", use: "sig" }),
    jwk(other, { kid: "encryption", alg: "RS256", use: "enc" }),
    jwk(other, { kid: "rs512", alg: "RS512", use: "sig" }),
    jwk(ec384, { kid: "p384" }),
    jwk(rsa, { kid: "rsa", alg: "RS256", use: "sig" }),
    jwk(ec, { kid: "ec" }),
    jwk(ed, { kid: "ed", alg: "EdDSA" }),
  ],
};
const signers = {
  RS256: (text) => sign("sha256", text, rsa.privateKey),
  ES256: (text) => sign("sha256", text, { key: ec.privateKey, dsaEncoding: "ieee-p1363" }),
  EdDSA: (text) => sign(null, text, ed.privateKey),
};
const glacierUpload = { vaults: ["photos"], objects: ["films/anna/"], ops: ["upload"], maxArchiveBytes: 2 ** 40, maxParts: 9 };
const claims = {
  iss: "https://id.example.com/", aud: ["upload", "mail"], sub: "user-7", iat: now, exp: now + 3600, jti: "t1",
  azp: "page", scope: "openid", email: "anna@example.com", glacierUpload,
};
function token({ header = {}, payload = {}, by = signers.RS256 }) {
  const signed = `${encode({ alg: "RS256", typ: "JWT", kid: "rsa", ...header })}.${encode({ ...claims, ...payload })}`;
  return `${signed}.${Buffer.from(by(Buffer.from(signed))).toString("base64url")}`;
}
const hmac = (key) => (text) => createHmac("sha256", key).update(text).digest();
const granting = (members) => ({ payload: { glacierUpload: { ...glacierUpload, ...members } } });

const good = {
  RS256: token({}),
  ES256: token({ header: { alg: "ES256", kid: "ec" }, by: signers.ES256 }),
  EdDSA: token({ header: { alg: "EdDSA", kid: "ed", typ: "at+jwt" }, by: signers.EdDSA }),
};
const pem = rsa.publicKey.export({ type: "spki", format: "pem" });
const bad = {
  "no algorithm": `${encode({ alg: "none", kid: "rsa" })}.${encode(claims)}.`,
  "no signature": token({ by: () => "" }),
  "the public key as a secret, in PEM": token({ header: { alg: "HS256" }, by: hmac(pem) }),
  "the public key as a secret, as it is": token({ header: { alg: "HS256" }, by: hmac(rsa.publicKey.export({ type: "spki", format: "der" })) }),
  "the public key as a secret, under its algorithm": token({ by: hmac(pem) }),
  "a symmetric key of the set": token({ header: { alg: "HS256", kid: "oct" }, by: hmac(symmetric) }),
  "a key of another kind": token({ header: { kid: "ec" } }),
  "an algorithm of another kind": token({ header: { alg: "ES256" } }),
  "a better hash": token({ header: { alg: "RS512" }, by: (text) => sign("sha512", text, rsa.privateKey) }),
  "a hash of another name": token({ by: (text) => sign("sha512", text, rsa.privateKey) }),
  "SHA-1": token({ by: (text) => sign("sha1", text, rsa.privateKey) }),
  "a key that is too short": token({ header: { kid: "weak" }, by: (text) => sign("sha256", text, weak.privateKey) }),
  "a key for encryption": token({ header: { kid: "encryption" }, by: (text) => sign("sha256", text, other.privateKey) }),
  "a key for another algorithm": token({ header: { kid: "rs512" }, by: (text) => sign("sha256", text, other.privateKey) }),
  "a key of another curve": token({ header: { alg: "ES256", kid: "p384" }, by: (text) => sign("sha256", text, { key: ec384.privateKey, dsaEncoding: "ieee-p1363" }) }),
  "a signature in DER": token({ header: { alg: "ES256", kid: "ec" }, by: (text) => sign("sha256", text, ec.privateKey) }),
  "a stranger's key": token({ by: (text) => sign("sha256", text, other.privateKey) }),
  "a key that comes along": token({ header: { jwk: jwk(other, {}), kid: undefined }, by: (text) => sign("sha256", text, other.privateKey) }),
  "an unknown key": token({ header: { kid: "unknown" } }),
  "no name of a key": token({ header: { kid: undefined } }),
  "an extension": token({ header: { crit: ["exp"] } }),
  "another audience": token({ payload: { aud: "mail" } }),
  "no audience": token({ payload: { aud: undefined } }),
  "another issuer": token({ payload: { iss: "https://id.example.com" } }),
  "no issuer": token({ payload: { iss: undefined } }),
  "no end": token({ payload: { exp: undefined } }),
  "an end too far away": token({ payload: { exp: now + 12 * 3600 + 1 } }),
  "no making": token({ payload: { iat: undefined } }),
  "a making that is to come": token({ payload: { iat: now + 31 } }),
  "a beginning that is to come": token({ payload: { nbf: now + 31 } }),
  "no subject": token({ payload: { sub: undefined } }),
  "no grants": token({ payload: { glacierUpload: undefined } }),
  "grants beside their claim": token({ payload: { ...glacierUpload, glacierUpload: undefined } }),
  "grants as a list": token({ payload: { glacierUpload: [["photos"], [], [], ["upload"], 1, 1, 1] } }),
  "a misspelt limit": token(granting({ maxPart: 1 })),
  "an operation there is not": token(granting({ ops: ["everything"] })),
  "no limit": token(granting({ maxArchiveBytes: undefined })),
};
for (const [algorithm, text] of Object.entries(good)) {
  const [header, payload, signature] = text.split(".");
  const bytes = Buffer.from(signature, "base64url");
  bytes[bytes.length >> 1] ^= 1;
  bad[`a flipped bit of ${algorithm}`] = `${header}.${payload}.${bytes.toString("base64url")}`;
  bad[`half a signature of ${algorithm}`] = `${header}.${payload}.${bytes.subarray(0, bytes.length / 2).toString("base64url")}`;
  const wider = encode({ ...claims, glacierUpload: { ...glacierUpload, ops: ["admin"] } });
  bad[`other claims under a signature of ${algorithm}`] = `${header}.${wider}.${signature}`;
}
console.log(JSON.stringify({ jwks, good, bad, expired: token({ payload: { iat: now - 3600, exp: now - 31 } }) }));
