import type { GatewayOptions } from "./gateway.js";
import type { Job, JobStatus, Tier } from "./jobs.js";
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
  /** How long the restored copy is kept, and paid for; what `INTELLIGENT_TIERING` put away is back for good. @default 3 */
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
 * An object on its way to being readable: at once where nothing has to be restored. It is of the very bytes that were seen
 * at first: another object that takes their place is the error `OBJECT_CHANGED`. Where the days of a restored copy are over
 * `done()` rejects with `JOB_EXPIRED`. The bytes come straight from the bucket.
 */
export interface ObjectJob extends Job {
  readonly action: "ObjectRestore";
  readonly bucket: string;
  readonly key: string;
  readonly head: ObjectHead;
  /** `"Failed"` where the object is archived and no restore is under way. */
  readonly status: JobStatus;
  readonly size: number | bigint;
}

/** An upload of an object that was begun and neither completed nor aborted. */
export interface IncompleteObject {
  readonly key: string;
  readonly storageClass: string;
  readonly createdAt: Date;
  /** Removes the upload and its parts. Also good where it is gone already. */
  abort(options?: CallOptions): Promise<void>;
}
