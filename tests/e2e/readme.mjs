// The code in the README, by the heading it stands under.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

/** The first code for JavaScript after `heading`. */
export async function snippet(heading) {
  const readme = await readFile(resolve(import.meta.dirname, "../../README.md"), "utf8");
  const section = readme.split(/^#+ (?=.*$)/m).find((text) => text.startsWith(`${heading}\n`));
  const [, code] = /^```js\n(.*?)^```$/ms.exec(section ?? "") ?? [];
  if (!code) throw new Error(`README.md has no code under "${heading}"`);
  return code;
}
