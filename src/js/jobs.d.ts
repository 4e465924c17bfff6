import type { Download, DownloadOptions, DownloadTarget } from "./downloads.js";
import type { UploadError } from "./error.js";
import type { ByteRange } from "./hashing.js";
import type { CallOptions } from "./vaults.js";

/** How fast and how dear a retrieval is with Amazon: 1 to 5 minutes, 3 to 5 hours, 5 to 12 hours. */
export type Tier = "Expedited" | "Standard" | "Bulk";

/** Options of {@link Vault.retrieve}. A misspelt key is an error that names it. */
export interface RetrieveOptions extends CallOptions {
  /**
   * Which bytes; all unless given. Both ends on MiB borders, or the end at the archive's end. Only a tree-hash-aligned
   * range can be verified: see {@link alignRange}.
   */
  range?: ByteRange;
  /** @default "Standard" */
  tier?: Tier;
  /** Kept with the job: up to 1,024 printable ASCII characters. */
  description?: string;
  /** ARN of an SNS topic that is told when the job is done. */
  snsTopic?: string;
}

/** Options of {@link Vault.inventory}. A misspelt key is an error that names it. */
export interface InventoryOptions extends CallOptions {
  /** `archives()` reads both alike. @default "JSON" */
  format?: "JSON" | "CSV";
  /** Archives made at this time or later. */
  startDate?: Date;
  /** Archives made before this time. */
  endDate?: Date;
  /** Most archives in this job's output; `archives()` goes on with further jobs. At least 1. */
  limit?: number;
  /** Where to go on: `inventory.marker` of the job before. */
  marker?: string;
  description?: string;
  snsTopic?: string;
}

/** Which jobs {@link Vault.jobs} gives. */
export interface JobFilter extends CallOptions {
  completed?: boolean;
  statusCode?: JobStatus;
}

export type JobStatus = "InProgress" | "Succeeded" | "Failed";

/**
 * What is asked of the cold, waited for and downloaded, whichever store it comes from: a {@link VaultJob} or an
 * {@link ObjectJob}. The fields are as of the last answer: see `refresh()`.
 */
export interface Job {
  readonly action: "ArchiveRetrieval" | "InventoryRetrieval" | "Select" | "ObjectRestore";
  /** `"Succeeded"` where there is something to download. */
  readonly status: JobStatus;
  /** Whether it is done, well or not. */
  readonly completed: boolean;
  /** Bytes that a download brings, where it is known. A `bigint` beyond `Number.MAX_SAFE_INTEGER`. */
  readonly size: number | bigint | null;
  /** Of these bytes, where the store has it. */
  readonly treeHash: string | null;
  /** Asks the store how far it is. Resolves with the job; the fields of this object are then of that answer, too. */
  refresh(options?: CallOptions): Promise<this>;
  /**
   * Waits for the end: told by the gateway where it can, else by asking at growing intervals. Resolves with the job
   * when it has succeeded; the fields of this object are then of the last answer, too.
   * @throws {UploadError} `JOB_FAILED`, `JOB_EXPIRED`; of an object `OBJECT_CHANGED`.
   */
  done(options?: CallOptions): Promise<this>;
  /**
   * Downloads what there is, in parallel ranges, verified as far as can be: the result says how far. The job must have
   * succeeded.
   * @param to where the bytes go; without it they become a `Blob`, of 512 MiB at most.
   */
  download(to?: DownloadTarget, options?: DownloadOptions): Download;
}

/** A retrieval or an inventory. */
export interface VaultJob extends Job {
  readonly action: "ArchiveRetrieval" | "InventoryRetrieval" | "Select";
  readonly jobId: string;
  readonly vault: string;
  readonly statusMessage: string | null;
  readonly description: string | null;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
  readonly snsTopic: string | null;
  /** Of a retrieval. */
  readonly archiveId: string | null;
  /** Bytes in the whole archive, whatever the range. */
  readonly archiveSize: number | null;
  /** Of the whole archive. */
  readonly archiveTreeHash: string | null;
  /** Which bytes of the archive were asked for. */
  readonly range: ByteRange | null;
  readonly tier: Tier | null;
  /** Of an inventory: bytes of its output, once it is done. */
  readonly inventorySize: number | null;
  /** Of an inventory: what was asked for, and where the next one goes on (`null`: there is no more). */
  readonly inventory: {
    format: "JSON" | "CSV"; startDate: Date | null; endDate: Date | null; limit: number | null; marker: string | null;
  } | null;

  /**
   * Of an inventory: the archives, as they arrive. Waits for the job, and where it had a `limit` starts the jobs for
   * what follows and waits for them. An inventory cut short or malformed is an error, never a shorter list.
   * @throws {UploadError} `INVENTORY_UNREADABLE`; `INVALID_OPTION` for a job that is no inventory.
   */
  archives(options?: CallOptions): AsyncIterableIterator<InventoryArchive>;
}

/** An archive as an inventory has it. */
export interface InventoryArchive {
  archiveId: string;
  description: string;
  createdAt: Date;
  size: number;
  treeHash: string;
}
