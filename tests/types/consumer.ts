// A program that uses everything the package declares. It is only type-checked; each `@ts-expect-error` is a mistake
// that the types must catch.
import {
  alignRange, ArchiveWriter, createBuckets, createUploader, createVaults, isTreeHashAligned, planParts, treeHash, UploadError,
} from "glacier-upload";
import type {
  Archive, Bucket, BucketObject, Buckets, ByteRange, IncompleteObject, IncompleteUpload, Intent, InventoryArchive, Job,
  JobStatus, ObjectHead, ObjectJob, Progress, ProvisionedCapacity, RestoreOptions,
  RetrievalPolicy, SignedRequest, StoredObject, StoredPart, UnfinishedUpload, UploadErrorCode, UploadState, Vault, VaultDescription, VaultJob, VaultLock,
  VaultNotifications, Vaults,
} from "glacier-upload";
import type { Download, DownloadCheckpoint, Downloaded, DownloadOptions, DownloadState } from "glacier-upload";

export async function uploads(file: File, signal: AbortSignal): Promise<Archive> {
  const uploader = await createUploader({
    endpoint: "/v1",
    target: { vault: "photos" },
    getHeaders: async () => ({ authorization: "Bearer …" }),
    partSize: "auto",
    concurrency: 4,
    memoryBudget: 64 * 2 ** 20,
    workers: "auto",
    retry: { maxAttempts: 3, baseDelayMs: 100, maxDelayMs: 1000 },
    wasmUrl: new URL("https://example.com/glacier_upload_bg.wasm"),
    createWorker: () => new Worker("worker.js", { type: "module" }),
  });
  const upload = uploader.add(file, { description: "Iceland 2026", signal });
  const off = upload.on("progress", (progress: Progress) => {
    const left: number | null = progress.etaMs;
    console.log(progress.bytesHashed, progress.bytesSent, progress.bytesConfirmed, progress.bytesTotal, left);
    console.log(progress.parts.total, progress.bytesPerSecond);
  });
  upload.on("state", (state: UploadState) => console.log(state));
  // @ts-expect-error: there is no such event.
  upload.on("progres", () => {});
  upload.pause();
  upload.resume();
  try {
    const { archiveId, treeHash, size }: Archive = await upload.done();
    return { archiveId, treeHash, size };
  } catch (error) {
    if (error instanceof UploadError) {
      const code: UploadErrorCode = error.code;
      console.log(code, error.message, error.hint, error.retryable, error.status, error.serviceCode, error.requestId);
      console.log(error.partNumber, error.cause);
      // @ts-expect-error: there is no such code.
      if (error.code === "OUT_OF_CHEESE") throw error;
    }
    throw error;
  } finally {
    off();
    await upload.abort();
    await uploader.close();
  }
}

export async function goesOn(files: File[], signal: AbortSignal): Promise<void> {
  const uploader = await createUploader({ endpoint: "/v1", target: { vault: "photos" } });
  for (const left of await uploader.unfinished()) {
    const one: UnfinishedUpload = left;
    const words: string | undefined = one.description;
    console.log(one.name, one.size, one.lastModified, words, one.vault, one.uploadId, one.bytesConfirmed / one.size);
    console.log(one.begunAt.getTime(), one.savedAt.getTime(), one.inUse);
    const file = files.find(({ name }) => name === one.name);
    if (file) {
      const upload = await one.resume(file, { signal });
      console.log(upload.resumable, (await upload.done()).archiveId);
    } else {
      const archive: Archive | undefined = await one.discard();
      console.log(archive?.archiveId);
    }
    // @ts-expect-error: only a file has a name and a date.
    await one.resume(new Blob());
  }
  uploader.add(files[0]!, { resume: false });
  // @ts-expect-error: nobody can go on with a stream.
  uploader.stream({ resume: true });
}

export async function signsItself(): Promise<void> {
  await createUploader({
    target: { vault: "photos" },
    sign: async (intents: Intent[]): Promise<SignedRequest[]> => {
      const response = await fetch("/sign", { method: "POST", body: JSON.stringify({ intents }) });
      return response.json();
    },
  });
  // @ts-expect-error: the target is missing.
  await createUploader({ endpoint: "/v1" });
  // @ts-expect-error: a misspelt option.
  await createUploader({ endpoint: "/v1", target: { vault: "photos" }, partsize: 1 });
}

export async function objects(file: File): Promise<StoredObject> {
  const target = { bucket: "photos", prefix: "2026/", storageClass: "DEEP_ARCHIVE", tags: { a: "b" } } as const;
  const uploader = await createUploader({ endpoint: "/v1", target });
  const upload = uploader.add(file, { key: "one", contentType: "video/mp4" });
  const writer = uploader.stream({ key: "two", maxSize: 2 ** 34 });
  console.log(writer.upload.state, (await writer.upload.done()).checksum);
  // @ts-expect-error: objects have metadata and no description.
  uploader.add(file, { description: "Iceland" });
  // @ts-expect-error: either one key or a prefix.
  await createUploader({ endpoint: "/v1", target: { bucket: "photos", key: "a", prefix: "b" } });
  // @ts-expect-error: there is no such class.
  await createUploader({ endpoint: "/v1", target: { bucket: "photos", key: "a", storageClass: "GLACIAL" } });
  const archives = await createUploader({ endpoint: "/v1", target: { vault: "photos" } });
  // @ts-expect-error: archives have no key.
  archives.add(file, { key: "one" });
  const { bucket, key, versionId, etag, checksum, treeHash, treeHashKept, size }: StoredObject = await upload.done();
  return { bucket, key, versionId, etag, checksum, treeHash, treeHashKept, size };
}

export async function streams(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<Archive> {
  const uploader = await createUploader({ endpoint: "/v1", target: { vault: "photos" } });
  const stream: ArchiveWriter = uploader.stream({ description: "made as it goes", maxSize: 2 ** 34, partSize: 2 ** 24, signal });
  await body.pipeTo(stream);
  const writer = uploader.stream().getWriter();
  await writer.write(new Uint8Array(5));
  await writer.write(new ArrayBuffer(5));
  await writer.write(new Blob(["bytes"]));
  // @ts-expect-error: text is no bytes.
  await writer.write("text");
  // @ts-expect-error: only an uploader makes one.
  new ArchiveWriter();
  // @ts-expect-error: a misspelt option.
  uploader.stream({ maxsize: 1 });
  await writer.abort("no more");
  const hash: string | null = stream.currentTreeHash;
  console.log(hash, stream.bytesWritten, stream.upload.state, stream instanceof ArchiveWriter);
  return stream.upload.done();
}

export async function hashesAndPlans(blob: Blob, signal: AbortSignal): Promise<string> {
  const plan = await planParts(blob.size);
  console.log(plan.parts, plan.partSize, plan.lastPartSize, (await planParts(5, 2 ** 20)).parts);
  return treeHash(blob, { signal, onProgress: ({ bytesHashed, bytesTotal }) => console.log(bytesHashed / bytesTotal) });
}

export async function choosesARange(size: number): Promise<ByteRange> {
  const wanted: ByteRange = { start: 0, end: size / 2 };
  // @ts-expect-error: a range is two numbers, not HTTP's text.
  await isTreeHashAligned("0-1048575", size);
  return (await isTreeHashAligned(wanted, size)) ? wanted : alignRange(wanted, size);
}

export async function vaults(signal: AbortSignal): Promise<void> {
  const vaults: Vaults = await createVaults({ endpoint: "/v1", getHeaders: () => ({}), events: false, workers: 2 });
  const vault: Vault = await vaults.create("photos", { signal });
  const same: Vault = vaults.vault("photos");
  for await (const { name, arn, createdAt, lastInventoryAt, archives, size } of vaults.list({ signal })) {
    const bytes: number | bigint = size;
    const inventoried: Date | null = lastInventoryAt;
    console.log(name, arn, createdAt.getTime(), inventoried, archives, bytes);
  }
  const described: VaultDescription = await same.describe();
  console.log(described.name, vault.name);
  await vault.archives.delete("archive", { signal });
  for await (const upload of vault.uploads()) {
    const left: IncompleteUpload = upload;
    for await (const part of left.parts({ signal })) {
      const { range, treeHash }: StoredPart = part;
      console.log(range.start, range.end, treeHash, left.uploadId, left.description, left.partSize, left.createdAt);
    }
    await left.abort();
  }
  await vault.addTags({ project: "x" });
  const tags: Record<string, string> = await vault.tags();
  await vault.removeTags(Object.keys(tags));
  await vault.setNotifications({ snsTopic: "arn:aws:sns:…", events: ["ArchiveRetrievalCompleted"] });
  // @ts-expect-error: there is no such event.
  await vault.setNotifications({ snsTopic: "arn:aws:sns:…", events: ["VaultDeleted"] });
  const notifications: VaultNotifications | null = await vault.notifications();
  await vault.deleteNotifications();
  await vault.setAccessPolicy({ Statement: [] });
  await vault.setAccessPolicy("{}");
  const policy: string | null = await vault.accessPolicy();
  await vault.deleteAccessPolicy();
  const lockId: string = await vault.initiateLock({ Statement: [] });
  await vault.completeLock(lockId);
  await vault.abortLock();
  const lock: VaultLock | null = await vault.lock();
  console.log(notifications?.events, policy, lock?.state, lock?.expiresAt?.getTime());
  const limit: RetrievalPolicy = { strategy: "BytesPerHour", bytesPerHour: 5 };
  await vaults.setRetrievalPolicy(limit);
  // @ts-expect-error: a limit without its number.
  await vaults.setRetrievalPolicy({ strategy: "BytesPerHour" });
  console.log((await vaults.retrievalPolicy()).strategy);
  const unit: string = await vaults.purchaseProvisionedCapacity();
  const units: ProvisionedCapacity[] = await vaults.provisionedCapacity();
  console.log(unit, units[0]?.startsAt, units[0]?.expiresAt, units[0]?.capacityId);
  await vault.delete();
  await vaults.close();
  // @ts-expect-error: a way to the vaults has no target.
  await createVaults({ endpoint: "/v1", target: { vault: "photos" } });
}

export async function jobs(vault: Vault, signal: AbortSignal): Promise<void> {
  const range: ByteRange = { start: 0, end: 2 ** 20 };
  const job: VaultJob = await vault.retrieve("archive", { range, tier: "Bulk", description: "x", snsTopic: "arn:…", signal });
  // @ts-expect-error: there is no such tier.
  await vault.retrieve("archive", { tier: "Fast" });
  const inventory: VaultJob = await vault.inventory({
    format: "CSV", startDate: new Date(0), endDate: new Date(), limit: 5, marker: "x", description: "x", snsTopic: "arn:…",
  });
  // @ts-expect-error: dates are dates.
  await vault.inventory({ startDate: "2026-01-01" });
  const done: VaultJob = await job.done({ signal });
  const status: JobStatus = (await done.refresh({ signal })).status;
  console.log(status, job.jobId, job.vault, job.action, job.completed, job.statusMessage, job.description);
  console.log(job.createdAt.getTime(), job.completedAt?.getTime(), job.snsTopic, job.archiveId, job.archiveSize);
  console.log(job.archiveTreeHash, job.range?.start, job.treeHash, job.tier, job.inventorySize);
  for await (const archive of inventory.archives({ signal })) {
    const listed: InventoryArchive = archive;
    const bytes: number = listed.size;
    console.log(listed.archiveId, listed.description, listed.createdAt.getTime(), bytes, listed.treeHash);
  }
  // @ts-expect-error: how an inventory is cut is said when its job is started.
  inventory.archives({ limit: 5 });
  console.log(inventory.inventory?.format, inventory.inventory?.startDate?.getTime(), inventory.inventory?.marker);
  for await (const one of vault.jobs({ completed: true, statusCode: "Succeeded", signal })) console.log(one.jobId);
  console.log((await vault.job("job")).status);
}

export async function getsItBack(job: Job, next: Job, handle: FileSystemFileHandle, saved?: DownloadCheckpoint): Promise<Blob | undefined> {
  const wishes: DownloadOptions = { treeHash: "00", rangeSize: 2 ** 20, onProgress: ({ bytesReceived }) => console.log(bytesReceived) };
  if (saved) wishes.from = saved;
  const download: Download = job.download(handle, wishes);
  const off = download.on("state", (state: DownloadState) => console.log(state, download.error?.code));
  download.pause();
  localStorage.setItem("checkpoint", JSON.stringify(download.checkpoint));
  download.resume();
  download.continueWith(next);
  const { size, treeHash, verified, why }: Downloaded = await download.done();
  console.log(size, treeHash, verified === "whole" ? "" : why);
  off();
  await job.download(new WritableStream<Uint8Array>()).abort();
  job.download(await handle.createWritable(), { signal: AbortSignal.timeout(1000) });
  // @ts-expect-error: a name is no target.
  job.download("name.bin");
  // @ts-expect-error: a misspelt option.
  job.download(handle, { rangesize: 1 });
  return (await job.download().done()).blob;
}

/** What is written for one kind of job takes the other. */
export async function getsEitherBack(vault: Vault, object: BucketObject, handle: FileSystemFileHandle): Promise<void> {
  const jobs: Job[] = [await vault.retrieve("archive"), await object.retrieve({ tier: "Bulk" })];
  for (const job of jobs) {
    const [bytes, hash]: [number | bigint | null, string | null] = [job.size, job.treeHash];
    console.log(job.action === "ObjectRestore", job.status, job.completed, bytes, hash);
    const done: Job = await (await job.refresh()).done();
    const { verified, why }: Downloaded = await done.download(handle, { range: { start: 0, end: 2 ** 20 } }).done();
    console.log(verified, why);
    // @ts-expect-error: only a vault's has an ID.
    console.log(job.jobId);
    // @ts-expect-error: a range is two numbers, not HTTP's text.
    job.download(handle, { range: "0-1048575" });
  }
}

export async function getsObjectsBack(handle: FileSystemFileHandle, signal: AbortSignal): Promise<Downloaded> {
  const buckets: Buckets = await createBuckets({ endpoint: "/v1", getHeaders: () => ({ authorization: "Bearer …" }) });
  // @ts-expect-error: nobody tells when a restore is done.
  await createBuckets({ endpoint: "/v1", events: true });
  const bucket: Bucket = buckets.bucket("photos");
  for await (const upload of bucket.uploads({ prefix: "2026/", signal })) {
    const left: IncompleteObject = upload;
    console.log(bucket.name, left.key, left.storageClass, left.createdAt.getTime());
    await left.abort({ signal });
  }
  const object: BucketObject = bucket.object("2026/a.jpg", { versionId: "v1" });
  // @ts-expect-error: a misspelt option.
  bucket.object("2026/a.jpg", { version: "v1" });
  const head: ObjectHead = await object.head({ signal });
  console.log(object.key, head.size, head.storageClass, head.etag, head.versionId);
  console.log(head.lastModified.getTime(), head.contentType, head.checksum, head.treeHash, head.metadata["author"]);
  console.log(head.archived, head.restore?.ongoing, head.restore?.expiresAt?.getTime());
  const options: RestoreOptions = { days: 7, tier: "Bulk", signal };
  const job: ObjectJob = await object.retrieve(options);
  // @ts-expect-error: there is no such tier.
  await object.retrieve({ tier: "Fast" });
  const status: JobStatus = (await job.refresh()).status;
  console.log(job.bucket, job.key, job.head.size, job.size, job.completed, status);
  const again: ObjectJob = await job.done();
  // @ts-expect-error: only an inventory has archives.
  again.archives();
  const download: Download = (await job.done({ signal })).download(handle, { rangeSize: 2 ** 20 });
  download.continueWith(job);
  await object.delete({ signal });
  await buckets.close();
  return download.done();
}
