/** What the page intends, typed by operation. The gateway turns it into a {@link SignedRequest}. */
export type Intent =
  | { op: "InitiateMultipartUpload"; vault: string; partSize: number; size: number; description?: string }
  | { op: "UploadMultipartPart"; vault: string; uploadId: string; range: string; payloadHash: string; treeHash: string }
  | { op: "ListParts"; vault: string; uploadId: string; marker?: string }
  | { op: "CompleteMultipartUpload"; vault: string; uploadId: string; size: number; treeHash: string }
  | { op: "AbortMultipartUpload"; vault: string; uploadId: string }
  | { op: "ListMultipartUploads"; vault: string; marker?: string }
  | { op: "DeleteArchive"; vault: string; archiveId: string }
  | { op: "CreateVault" | "DescribeVault" | "DeleteVault"; vault: string }
  | { op: "ListVaults"; marker?: string }
  | { op: "InitiateJob"; vault: string; job: JobParameters }
  | { op: "DescribeJob"; vault: string; jobId: string }
  | { op: "ListJobs"; vault: string; statusCode?: "InProgress" | "Succeeded" | "Failed"; completed?: boolean; marker?: string }
  | { op: "GetJobOutput"; vault: string; jobId: string; range?: string }
  | { op: "AddTagsToVault"; vault: string; tags: Record<string, string> }
  | { op: "RemoveTagsFromVault"; vault: string; tagKeys: string[] }
  | { op: "ListTagsForVault" | "GetVaultNotifications" | "DeleteVaultNotifications"; vault: string }
  | { op: "SetVaultNotifications"; vault: string; snsTopic: string; events: NotificationEvent[] }
  | { op: "SetVaultAccessPolicy" | "InitiateVaultLock"; vault: string; policy: string }
  | { op: "GetVaultAccessPolicy" | "DeleteVaultAccessPolicy" | "GetVaultLock" | "AbortVaultLock"; vault: string }
  | { op: "CompleteVaultLock"; vault: string; lockId: string }
  | { op: "GetDataRetrievalPolicy" | "ListProvisionedCapacity" | "PurchaseProvisionedCapacity" }
  | { op: "SetDataRetrievalPolicy"; strategy: "BytesPerHour" | "FreeTier" | "None"; bytesPerHour?: number }
  | S3Intent;

/**
 * What the page intends with objects. PutObject and UploadPart become presigned URLs of the bucket; the others are requests
 * to the gateway itself, which answers in JSON.
 */
export type S3Intent =
  | ({ op: "s3:PutObject"; size: number; payloadHash: string; treeHash: string } & ObjectAttributes)
  | ({ op: "s3:CreateMultipartUpload"; size: number; partSize: number } & ObjectAttributes)
  | { op: "s3:UploadPart"; upload: string; partNumber: number; payloadHash: string; size?: number }
  | { op: "s3:ListParts"; upload: string; marker?: string }
  | { op: "s3:CompleteMultipartUpload"; upload: string; size: number; checksum: string; treeHash: string }
  | { op: "s3:AbortMultipartUpload"; upload: string }
  | { op: "s3:HeadObject"; bucket: string; key: string; versionId?: string };

/** What PutObject and CreateMultipartUpload say of an object. */
export interface ObjectAttributes {
  bucket: string;
  key: string;
  storageClass: string;
  contentType?: string;
  metadata?: Record<string, string>;
  tags?: Record<string, string>;
  overwrite?: true;
}

/** What a vault tells a topic. */
export type NotificationEvent = "ArchiveRetrievalCompleted" | "InventoryRetrievalCompleted";

/** What an InitiateJob asks for. */
export type JobParameters =
  | {
      type: "archive-retrieval"; archiveId: string; range?: string; tier?: "Expedited" | "Standard" | "Bulk";
      description?: string; snsTopic?: string;
    }
  | {
      type: "inventory-retrieval"; format?: "CSV" | "JSON"; startDate?: string; endDate?: string; limit?: number;
      marker?: string; description?: string; snsTopic?: string;
    };

/** A request that may be sent as it is, once, within its lifetime. */
export interface SignedRequest {
  method: "GET" | "PUT" | "POST" | "DELETE";
  /** Absolute, or relative to the sign endpoint (to the page where `sign` is a function). */
  url: string;
  headers: Record<string, string>;
  /** Text to send as the body, exactly as it is. */
  body?: string;
  /** For how long from now the signature is good. A duration, because the browser's clock is often wrong. */
  expiresInMs: number;
}

/** How failed requests are repeated. Every wait is random between 0 and the step ("full jitter"). */
export interface RetryOptions {
  /** Attempts without any progress before a request counts as failed. 1 to 100. @default 8 */
  maxAttempts?: number;
  /** First step of the back-off; it doubles with each attempt. 1 to 60,000. @default 250 */
  baseDelayMs?: number;
  /** Largest step. 1 to 300,000. @default 30000 */
  maxDelayMs?: number;
}

/** How to reach a store, and how much of the machine to use for it. */
export interface GatewayOptions {
  /** Base URL of the gateway; `/sign` is appended. Either this or `sign`. */
  endpoint?: string;
  /** Instead of `endpoint`: turns intents into signed requests, in the same order, all or none. */
  sign?: (intents: Intent[]) => Promise<SignedRequest[]>;
  /** Headers for each call of the gateway, asked for afresh each time: the place for a bearer token. */
  getHeaders?: () => Record<string, string> | Promise<Record<string, string>>;
  /** Requests that carry file bytes in flight at once, 1 to 16. `"auto"` is 4, fewer where the memory budget asks for it. @default "auto" */
  concurrency?: number | "auto";
  /** Bytes of files that may be held in memory. @default 134217728 */
  memoryBudget?: number;
  /** Web workers that hash, 1 to 16. `"auto"` follows the processor. @default "auto" */
  workers?: number | "auto";
  retry?: RetryOptions;
  /** Where the `.wasm` file is served, if not beside the module. */
  wasmUrl?: string | URL;
  /** Makes a worker that runs `glacier-upload/worker.js`, for set-ups that move the file. */
  createWorker?: () => Worker;
}
