import type { Download, DownloadOptions, DownloadTarget } from "./downloads.js";
import type { GatewayOptions } from "./gateway.js";
import type { JobStatus, Tier } from "./jobs.js";
import type { CallOptions } from "./vaults.js";

/** Options of {@link createBuckets}. A misspelt key is an error that names it. */
export interface BucketsOptions extends GatewayOptions {}

/** Makes a way to buckets: loads the wasm module and checks the options. Nothing is sent. */
export function createBuckets(options: BucketsOptions): Promise<Buckets>;

/** The buckets behind one gateway. Every call rejects with an {@link UploadError} or `AbortError`. */
export interface Buckets {
  /** A bucket by its name; nothing is sent. @throws {UploadError} `INVALID_BUCKET_NAME`. */
  bucket(name: string): Bucket;
  /** Cancels what runs and stops the workers. */
  close(): Promise<void>;
}

/** One bucket. */
export interface Bucket {
  readonly name: string;
  /** An object by its key, or one version of it; nothing is sent. @throws {UploadError} `INVALID_KEY`, `INVALID_OPTION`. */
  object(key: string, options?: { versionId?: string }): BucketObject;
  /** Uploads neither completed nor aborted, of this and every other device, of keys that begin with `prefix`. */
  uploads(options?: CallOptions & { prefix?: string }): AsyncIterableIterator<IncompleteObject>;
}

/** An object, or one version of it. */
export interface BucketObject {
  readonly key: string;
  /** What it is, and whether it can be read. @throws {UploadError} `OBJECT_NOT_FOUND`. */
  head(options?: CallOptions): Promise<ObjectHead>;
  /**
   * Makes it readable: has it restored where it is archived, which costs money with Amazon and takes minutes to days, and
   * nothing where it is not. Where a copy is there already it is kept longer.
   * @throws {UploadError} `OBJECT_NOT_FOUND`, `EXPEDITED_UNAVAILABLE`.
   */
  retrieve(options?: RestoreOptions): Promise<ObjectJob>;
  /** Removes it. One that is not there is as good. */
  delete(options?: CallOptions): Promise<void>;
}

/** Options of {@link BucketObject.retrieve}. A misspelt key is an error that names it. */
export interface RestoreOptions extends CallOptions {
  /** How long the restored copy is kept, and paid for. @default 3 */
  days?: number;
  /** `"Expedited"` is not to be had of `DEEP_ARCHIVE`. @default "Standard" */
  tier?: Tier;
}

/** What an object is. */
export interface ObjectHead {
  /** A `bigint` beyond `Number.MAX_SAFE_INTEGER`. */
  size: number | bigint;
  /** `"STANDARD"`, `"DEEP_ARCHIVE"` and so on. */
  storageClass: string;
  etag: string;
  /** `null` in a bucket that keeps no versions. */
  versionId: string | null;
  lastModified: Date;
  contentType: string | null;
  /** SHA-256 in base64, with `-` and the number of parts where it is over parts; `null` where the store keeps none. */
  checksum: string | null;
  /** As kept in its metadata or as a tag; `null` where neither is there. */
  treeHash: string | null;
  metadata: Record<string, string>;
  /** Whether it must be restored before it can be read. Stays `true` while a restored copy is there. */
  archived: boolean;
  /** `null` where no restore was asked for, or the copy's days are over. */
  restore: { ongoing: boolean; expiresAt: Date | null } | null;
}

/**
 * An object on its way to being readable, to be waited for and downloaded as a {@link Job} of a vault. It is of the very
 * bytes that were seen at first: another object that takes their place is the error `OBJECT_CHANGED`.
 */
export interface ObjectJob {
  readonly key: string;
  /** As of the last answer. */
  readonly head: ObjectHead;
  /** `"Succeeded"` where it can be read; `"Failed"` where it is archived and no restore is under way. */
  readonly status: JobStatus;
  readonly completed: boolean;
  /** Asks how far it is. Resolves with the job; the fields of this object are then of that answer, too. */
  refresh(options?: CallOptions): Promise<ObjectJob>;
  /**
   * Waits until it can be read, by asking at growing intervals; at once where it can be.
   * @throws {UploadError} `JOB_EXPIRED` where the copy's days are over, `OBJECT_CHANGED`.
   */
  done(options?: CallOptions): Promise<ObjectJob>;
  /**
   * Downloads it in parallel ranges, straight from the bucket. Verified by the tree hash that is kept with it, or by the
   * store's SHA-256, where that is over parts that a range can be; the result says whether and why not.
   * @param to where the bytes go; without it they become a `Blob`, of 512 MiB at most.
   */
  download(to?: DownloadTarget, options?: DownloadOptions): Download;
}

/** An upload of an object that was begun and neither completed nor aborted. */
export interface IncompleteObject {
  readonly key: string;
  readonly storageClass: string;
  readonly createdAt: Date;
  /** Removes the upload and its parts. Also good where it is gone already. */
  abort(options?: CallOptions): Promise<void>;
}
