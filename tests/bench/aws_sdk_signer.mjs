// Presigns parts of an upload with the AWS SDK: behind HTTP as a back end would (`serve`), or in a loop (`loop`).

import { S3Client, UploadPartCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { createServer } from "node:http";

const credentials = { accessKeyId: "AKIDOFTHEBENCHMARK", secretAccessKey: "0123456789012345678901234567890123456789" };
const client = new S3Client({ region: "us-east-1", credentials });
const checksum = Buffer.alloc(32).toString("base64");

async function presign({ bucket, key, uploadId }, number) {
  const part = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: number, ContentLength: 8388608, ChecksumSHA256: checksum };
  const signed = new Set(["content-length", "x-amz-checksum-sha256"]);
  const url = await getSignedUrl(client, new UploadPartCommand(part), { expiresIn: 300, signableHeaders: signed, unhoistableHeaders: signed });
  return { method: "PUT", url, headers: { "x-amz-checksum-sha256": checksum }, expiresInMs: 240_000 };
}

if (process.argv[2] === "loop") {
  const upload = { bucket: "photos", key: "a.bin", uploadId: "u" };
  let signed = 0;
  const measure = async (seconds) => {
    const until = performance.now() + seconds * 1000;
    for (signed = 0; performance.now() < until; signed += 1) await presign(upload, 1 + (signed % 10_000));
  };
  await measure(1);
  const begun = performance.now();
  await measure(3);
  console.log(signed / ((performance.now() - begun) / 1000));
} else {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const upload = JSON.parse(text);
    const requests = await Promise.all(upload.parts.map((number) => presign(upload, number)));
    const body = JSON.stringify({ requests });
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
  });
  server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
}
