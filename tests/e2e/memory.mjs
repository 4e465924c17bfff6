// What a browser takes of the machine, as the kernel counts it.

import { readdir, readFile } from "node:fs/promises";

/** Resident memory of a process and all below it, in MiB. */
export async function residentMib(root) {
  const processes = new Map();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const status = await readFile(`/proc/${name}/status`, "utf8").catch(() => ""); // It may just have ended.
    const field = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    processes.set(Number(name), { parent: field("PPid"), kib: field("VmRSS") });
  }
  const below = (pid) => {
    for (let at = pid; at > 1; at = processes.get(at)?.parent ?? 0) if (at === root) return true;
    return false;
  };
  return [...processes].reduce((sum, [pid, { kib }]) => sum + (below(pid) ? kib / 1024 : 0), 0);
}
