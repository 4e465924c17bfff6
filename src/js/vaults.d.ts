import type { GatewayOptions, NotificationEvent } from "./gateway.js";
import type { ByteRange } from "./hashing.js";
import type { InventoryOptions, JobFilter, RetrieveOptions, VaultJob } from "./jobs.js";

/** Options of {@link createVaults}. A misspelt key is an error that names it. */
export interface VaultsOptions extends GatewayOptions {
  /**
   * Whether the gateway is asked to tell when jobs are done (`{endpoint}/events`), so that waiting needs no polling. A
   * gateway that cannot is noticed. With `sign` there is nobody to ask. @default true
   */
  events?: boolean;
}

/** Options of every call that is one request or a few. */
export interface CallOptions {
  /** Cancels the call, which then rejects with `AbortError`. What the store has done meanwhile stays done. */
  signal?: AbortSignal;
}

/** Makes a way to the vaults: loads the wasm module and checks the options. Nothing is sent. */
export function createVaults(options: VaultsOptions): Promise<Vaults>;

/** The vaults of one account behind one gateway. Every call rejects with an {@link UploadError} or `AbortError`. */
export interface Vaults {
  /** Makes a vault. One that is there already is as good. */
  create(name: string, options?: CallOptions): Promise<Vault>;
  /** A vault by its name; nothing is sent. @throws {UploadError} `INVALID_VAULT_NAME`. */
  vault(name: string): Vault;
  /** All vaults, page after page as they are asked for. */
  list(options?: CallOptions): AsyncIterableIterator<VaultDescription>;
  /** How fast the account may retrieve. */
  retrievalPolicy(options?: CallOptions): Promise<RetrievalPolicy>;
  setRetrievalPolicy(policy: RetrievalPolicy, options?: CallOptions): Promise<void>;
  /** Capacity units bought for expedited retrievals. */
  provisionedCapacity(options?: CallOptions): Promise<ProvisionedCapacity[]>;
  /** Buys a unit of capacity for a month. Not repeated after a lost answer. Resolves with its ID. */
  purchaseProvisionedCapacity(options?: CallOptions): Promise<string>;
  /** Cancels what runs and stops the workers. */
  close(): Promise<void>;
}

/** What the last inventory counted. */
export interface VaultDescription {
  name: string;
  arn: string;
  createdAt: Date;
  /** `null` before the first inventory, up to a day after the first upload. */
  lastInventoryAt: Date | null;
  archives: number;
  /** A `bigint` beyond `Number.MAX_SAFE_INTEGER`. */
  size: number | bigint;
}

/** One vault. */
export interface Vault {
  readonly name: string;
  describe(options?: CallOptions): Promise<VaultDescription>;
  /** Removes the vault, which must be empty and not written to since its last inventory. */
  delete(options?: CallOptions): Promise<void>;

  readonly archives: {
    /** Removes an archive. Nothing brings it back. */
    delete(archiveId: string, options?: CallOptions): Promise<void>;
  };
  /** Uploads neither completed nor aborted, of this and every other device. */
  uploads(options?: CallOptions): AsyncIterableIterator<IncompleteUpload>;

  /** Asks for an archive, or a range of it. Costs money with Amazon, and takes minutes to hours. */
  retrieve(archiveId: string, options?: RetrieveOptions): Promise<VaultJob>;
  /** Asks for the list of archives as of the last inventory. Takes hours with Amazon. */
  inventory(options?: InventoryOptions): Promise<VaultJob>;
  /** Jobs that run, or ended less than a day ago. */
  jobs(filter?: JobFilter): AsyncIterableIterator<VaultJob>;
  /** A job of an earlier visit. @throws {UploadError} `JOB_EXPIRED`. */
  job(jobId: string, options?: CallOptions): Promise<VaultJob>;

  tags(options?: CallOptions): Promise<Record<string, string>>;
  /** At most 50 in all; a key that is there gets the new value. */
  addTags(tags: Record<string, string>, options?: CallOptions): Promise<void>;
  removeTags(keys: string[], options?: CallOptions): Promise<void>;

  /** `null` where none are set. */
  notifications(options?: CallOptions): Promise<VaultNotifications | null>;
  setNotifications(notifications: VaultNotifications, options?: CallOptions): Promise<void>;
  deleteNotifications(options?: CallOptions): Promise<void>;

  /** The policy as it was set, JSON text; `null` where none is. */
  accessPolicy(options?: CallOptions): Promise<string | null>;
  /** JSON text, or an object that becomes it. */
  setAccessPolicy(policy: string | object, options?: CallOptions): Promise<void>;
  deleteAccessPolicy(options?: CallOptions): Promise<void>;

  /** `null` where none is. */
  lock(options?: CallOptions): Promise<VaultLock | null>;
  /** Puts a lock on trial for 24 hours. Resolves with the lock ID that `completeLock` needs. */
  initiateLock(policy: string | object, options?: CallOptions): Promise<string>;
  /** Makes the lock final: nobody can take it away any more. */
  completeLock(lockId: string, options?: CallOptions): Promise<void>;
  /** Takes a lock on trial away. */
  abortLock(options?: CallOptions): Promise<void>;
}

/** An upload that was begun and neither completed nor aborted. The store drops it a day after its last part. */
export interface IncompleteUpload {
  readonly uploadId: string;
  readonly description: string | null;
  readonly partSize: number;
  readonly createdAt: Date;
  /** Parts the store has. */
  parts(options?: CallOptions): AsyncIterableIterator<StoredPart>;
  /** Removes the upload and its parts. Also good where it is gone already. */
  abort(options?: CallOptions): Promise<void>;
}

/** A part the store has. */
export interface StoredPart {
  range: ByteRange;
  treeHash: string;
}

/** Which topic hears of what. */
export interface VaultNotifications {
  /** ARN of an SNS topic. */
  snsTopic: string;
  events: NotificationEvent[];
}

/** A vault lock. */
export interface VaultLock {
  /** JSON text. */
  policy: string;
  state: "InProgress" | "Locked";
  createdAt: Date;
  /** When a lock on trial ends by itself; `null` once it is final. */
  expiresAt: Date | null;
}

/** How fast an account may retrieve. */
export type RetrievalPolicy =
  | { strategy: "None" | "FreeTier" }
  | { strategy: "BytesPerHour"; bytesPerHour: number };

/** A unit of capacity for expedited retrievals. */
export interface ProvisionedCapacity {
  capacityId: string;
  startsAt: Date;
  expiresAt: Date;
}
