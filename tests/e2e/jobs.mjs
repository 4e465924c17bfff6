// Retrievals as any client of the gateway starts them, by HTTP alone.

import { MIB } from "./files.mjs";
import { VAULT } from "./gateway.mjs";

/** What a page needs to put an archive into the vault and to get it back. */
export const OPERATIONS = [
  "InitiateMultipartUpload", "UploadMultipartPart", "ListParts", "CompleteMultipartUpload", "AbortMultipartUpload",
  "InitiateJob", "DescribeJob", "GetJobOutput",
];

/** A token for all of that. */
export const bearer = (gateway) => `Bearer ${gateway.token({ ops: OPERATIONS })}`;

export async function call(gateway, intent) {
  const headers = { "content-type": "application/json", authorization: bearer(gateway) };
  const body = JSON.stringify({ intents: [intent] });
  const signed = await fetch(`${gateway.url}/v1/sign`, { method: "POST", headers, body });
  if (!signed.ok) throw new Error(`signing ${intent.op}: ${signed.status} ${await signed.text()}`);
  const [{ url, ...request }] = (await signed.json()).requests;
  const answer = await fetch(new URL(url, `${gateway.url}/v1/sign`), request);
  if (!answer.ok) throw new Error(`${intent.op}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** Retrieves an archive, or `[first MiB, MiB after the last]` of it; the description of the job that has succeeded. */
export async function retrieve(gateway, archiveId, { from, to } = {}, size) {
  const range = from === undefined ? undefined : `${from * MIB}-${(to === undefined ? size : to * MIB) - 1}`;
  const job = { type: "archive-retrieval", archiveId, ...(range && { range }) };
  const started = await call(gateway, { op: "InitiateJob", vault: VAULT, job });
  const jobId = started.headers.get("x-amz-job-id");
  for (;;) {
    const described = await (await call(gateway, { op: "DescribeJob", vault: VAULT, jobId })).json();
    if (described.Completed) return described;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
