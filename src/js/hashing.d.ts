/** Options of {@link treeHash}. */
export interface TreeHashOptions {
  onProgress?: (progress: { bytesHashed: number; bytesTotal: number }) => void;
  signal?: AbortSignal;
  wasmUrl?: string | URL;
  createWorker?: () => Worker;
}

/** Amazon Glacier's SHA-256 tree hash of a file, computed in web workers without holding the file in memory. */
export function treeHash(blob: Blob, options?: TreeHashOptions): Promise<string>;

/** How a file of `size` bytes is cut. */
export interface PartPlan {
  /** Bytes in every part but the last. */
  partSize: number;
  /** 1 to 10,000. */
  parts: number;
  /** Bytes in the last part, 1 to `partSize`. */
  lastPartSize: number;
}

/**
 * Plans the parts of a file without touching it. With a `partSize` it is kept or refused; without, the smallest of at
 * least 8 MiB that fits.
 * @throws {UploadError} `FILE_EMPTY`, `FILE_TOO_LARGE`, `INVALID_PART_SIZE`, `TOO_MANY_PARTS`.
 */
export function planParts(size: number, partSize?: number): Promise<PartPlan>;

/** A range of bytes: `end` is the first byte that is not in it, as in `Blob.slice`. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Whether Glacier gives a tree hash of `range` of an archive of `size` bytes: whether the range is exactly one node of
 * the archive's hash tree.
 * @throws {UploadError} `INVALID_RANGE` for a range that is empty or not inside the archive.
 */
export function isTreeHashAligned(range: ByteRange, size: number): Promise<boolean>;

/**
 * The smallest tree-hash-aligned range that covers `range` in an archive of `size` bytes: what to retrieve to have the
 * bytes of `range` and be able to verify them.
 * @throws {UploadError} `INVALID_RANGE` for a range that is empty or not inside the archive.
 */
export function alignRange(range: ByteRange, size: number): Promise<ByteRange>;
