// In the page: the ways to send a file to a bucket that are compared, each as its documentation shows it. Bundled by `s3.mjs`.
//
// `partSize` and `parallel` are left to each where they are undefined.

import { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import AwsS3 from "@uppy/aws-s3";
import { Uppy } from "@uppy/core";
import { AwsS3 as AwsS35, Uppy as Uppy5 } from "./uppy-5/index.js";

const MIB = 1 << 20;

/** Asks the back end that signs for Uppy. */
const backEnd = async (path, body) => {
  const headers = { "content-type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
};

/** What ours computes of a part: its SHA-256, and that of every MiB of it, for the tree hash. Gives the first, in base64. */
async function hashed(part) {
  const bytes = await part.arrayBuffer();
  const whole = crypto.subtle.digest("SHA-256", bytes);
  for (let at = 0; at < bytes.byteLength; at += MIB) {
    await crypto.subtle.digest("SHA-256", new Uint8Array(bytes, at, Math.min(MIB, bytes.byteLength - at)));
  }
  return btoa(String.fromCharCode(...new Uint8Array(await whole)));
}

/** Options that are set. */
const given = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

const contenders = {
  /** Signed by the gateway; SHA-256 of every part and of the whole, and a tree hash. */
  async ours(file, { bucket, key, partSize, parallel, gateway, authorization }) {
    const uploader = await globalThis.library.createUploader(given({
      endpoint: gateway, target: { bucket, prefix: "", storageClass: "STANDARD" },
      partSize, concurrency: parallel, getHeaders: () => ({ authorization }),
    }));
    await uploader.add(file, { key }).done();
    await uploader.close();
  },

  /** Signed in the page with the bucket's own credentials; CRC-32 of every part. */
  async "lib-storage"(file, { store, bucket, key, partSize, parallel }) {
    const { endpoint, region, credentials } = store;
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    const params = { Bucket: bucket, Key: key, Body: file };
    await new Upload({ client, params, ...given({ partSize, queueSize: parallel }) }).done();
    client.destroy();
  },

  /** Signed by the back end, part by part; no checksum. One part at a time, whatever is asked for. */
  uppy: (file, options) => byUppy6(file, options, (request) => request),

  /** With the hashes that ours computes, of each part before it is sent. */
  "uppy with sha256": (file, options) => byUppy6(file, options, async (request) => {
    const { method, partNumber } = request;
    if (method !== "PUT") return request;
    const begin = (partNumber - 1) * options.partSize;
    return { ...request, sha256: await hashed(file.slice(begin, begin + options.partSize)) };
  }),

  /** The version before, which sends several parts at once. */
  "uppy 5": (file, options) => byUppy5(file, options, () => ({})),

  "uppy 5 with sha256": (file, options) => byUppy5(file, options, async (part) => ({ sha256: await hashed(part) })),
};

async function byUppy6(file, { key, partSize }, prepare) {
  const uppy = new Uppy().use(AwsS3, given({
    shouldUseMultipart: true, generateObjectKey: () => key, getChunkSize: partSize && (() => partSize),
    signRequest: async (request) => backEnd("/uppy/sign", await prepare(request)),
  }));
  await sent(uppy, file);
}

async function byUppy5(file, { key, partSize, parallel }, prepare) {
  const uppy = new Uppy5().use(AwsS35, given({
    shouldUseMultipart: true, limit: parallel, getChunkSize: partSize && (() => partSize),
    createMultipartUpload: () => backEnd("/uppy/create", { key }),
    signPart: async (_, { uploadId, key, partNumber, body }) =>
      backEnd("/uppy/sign", { method: "PUT", key, uploadId, partNumber, ...(await prepare(body)) }),
    completeMultipartUpload: (_, { uploadId, key, parts }) => backEnd("/uppy/complete", { key, uploadId, parts }),
  }));
  await sent(uppy, file);
}

async function sent(uppy, file) {
  uppy.addFile({ name: file.name, type: file.type, data: file });
  const { successful, failed } = await uppy.upload();
  if (successful.length !== 1) throw new Error(`Uppy failed: ${failed[0]?.error}`);
  uppy.destroy();
}

/** Uploads the file chosen in the page, and gives how many seconds that took. */
globalThis.uploadBy = async (contender, options) => {
  const file = document.querySelector("#files").files[0];
  const begun = performance.now();
  await contenders[contender](file, options);
  return (performance.now() - begun) / 1000;
};
