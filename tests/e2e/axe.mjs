// What axe-core finds wrong with the page for people who hear it, use no mouse, or see little.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** The findings, each in a line. The browser's own debugger runs it, since the page's policy allows no other script. */
export async function accessibilityFindings(browser) {
  if (!(await browser.evaluate(() => "axe" in window))) await browser.evaluate(AXE);
  return browser.evaluate(async (values) => {
    const { violations } = await window.axe.run(document, { runOnly: { type: "tag", values } });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`));
  }, [RULES]);
}
