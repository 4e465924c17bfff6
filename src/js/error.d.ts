/** All codes of {@link UploadError}; `docs/errors.md` says of each what it means and what to do. */
export type UploadErrorCode =
  | "ARCHIVE_NOT_FOUND" | "AUTH_DENIED" | "AUTH_EXPIRED" | "AUTH_MISSING" | "BUCKET_NOT_FOUND"
  | "CHECKSUM_MISMATCH_PART" | "CHECKSUM_MISMATCH_RANGE" | "CHECKSUM_MISMATCH_WHOLE" | "CLOCK_SKEW"
  | "CORS_NOT_ALLOWED" | "EXPEDITED_UNAVAILABLE" | "FILE_CHANGED" | "FILE_EMPTY" | "FILE_TOO_LARGE" | "FILE_UNREADABLE" | "INTERNAL"
  | "INVALID_BUCKET_NAME" | "INVALID_DESCRIPTION" | "INVALID_KEY" | "INVALID_OPTION" | "INVALID_PART_SIZE"
  | "INVALID_RANGE" | "INVALID_VAULT_NAME" | "INVENTORY_UNREADABLE" | "IS_DIRECTORY" | "JOB_EXPIRED" | "JOB_FAILED"
  | "JOB_NOT_READY" | "LIMIT_EXCEEDED" | "NETWORK" | "NOT_OUR_SERVER" | "OBJECT_CHANGED" | "OBJECT_EXISTS"
  | "OBJECT_NOT_FOUND" | "RATE_LIMITED" | "REFUSED" | "SERVER" | "SIGN_FAILED" | "SINK_FAILED" | "STALLED" | "TOO_MANY_PARTS"
  | "UNSUPPORTED" | "UPLOAD_EXPIRED" | "UPLOAD_IN_USE" | "VAULTS_CLOSED" | "VAULT_NOT_FOUND" | "WORKER_FAILED";

/** What every failure but a cancellation is thrown as. A cancellation is the standard `AbortError`. */
export class UploadError extends Error {
  readonly name: "UploadError";
  readonly code: UploadErrorCode;
  /** What to do, in a sentence for people. */
  readonly hint: string;
  /** Whether `resume()` (or trying again) may succeed without changing anything else. */
  readonly retryable: boolean;
  /** HTTP status, where an answer was the cause. */
  readonly status?: number;
  /** The store's or gateway's own code. */
  readonly serviceCode?: string;
  /** To quote to whoever runs the server. */
  readonly requestId?: string;
  /** Counted from 1. */
  readonly partNumber?: number;
}
