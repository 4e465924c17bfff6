// What the documents tell people to paste is checked against the package's types, as their own editor would.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import ts from "typescript";

const ROOT = resolve(import.meta.dirname, "../..");
const OPTIONS = {
  allowJs: true,
  checkJs: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts"],
  types: [],
  paths: { "glacier-upload": [resolve(ROOT, "target/npm/dist/index.d.ts")] },
};

// What a snippet takes from the page around it, or from the snippet before it.
const AROUND = `
import type { Archive, Upload, Uploader } from "glacier-upload";
declare global {
  const createUploader: typeof import("glacier-upload").createUploader;
  const getHeaders: () => Record<string, string>;
  const myToken: () => Promise<string>;
  const token: string;
  const vault: string;
  const file: File;
  const fileInput: HTMLInputElement;
  const fileHandle: FileSystemFileHandle;
  const archive: Archive;
  const uploader: Uploader;
  const upload: Upload;
  const stopped: Promise<void>;
  const offerResume: (hint: string) => undefined;
}
`;

const parsed = new Map();

/** What the compiler says of `code`, a line for each complaint. */
function complaints(code) {
  const files = {
    [resolve(ROOT, "tests/packaging/around.ts")]: AROUND,
    [resolve(ROOT, "tests/packaging/snippet.js")]: code,
  };
  const host = ts.createCompilerHost(OPTIONS);
  const { readFile: read, fileExists: exists, getSourceFile: parse } = host;
  host.readFile = (path) => files[path] ?? read(path);
  host.fileExists = (path) => path in files || exists(path);
  host.getSourceFile = (path, ...rest) => {
    if (path in files) return ts.createSourceFile(path, files[path], ...rest);
    if (!parsed.has(path)) parsed.set(path, parse.call(host, path, ...rest));
    return parsed.get(path);
  };
  return ts
    .getPreEmitDiagnostics(ts.createProgram(Object.keys(files), OPTIONS, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

/** A module for each piece of JavaScript in `document`. One that returns is the body of somebody's function. */
async function snippets(document) {
  const text = await readFile(resolve(ROOT, document), "utf8");
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => {
    const body = code.replaceAll('import("/glacier-upload/index.js")', 'import("glacier-upload")');
    return /^ *return /m.test(body) ? `export async function pasted() {\n${body}}\n` : body;
  });
}

describe("the documents' code fits the package", () => {
  for (const [document, count] of [["README.md", 5], ["docs/errors.md", 1], ["docs/s3.md", 2]]) {
    test(document, async () => {
      const found = await snippets(document);
      assert.equal(found.length, count);
      for (const code of found) assert.deepEqual(complaints(code), [], code);
    });
  }

  test("and would be found out if it did not", () => {
    const code = 'import { createUploader } from "glacier-upload";\ncreateUploader({ endpoint: "/v1" }).add(file);\n';
    assert.match(complaints(code).join("\n"), /'add' does not exist on type 'Promise/);
    assert.match(complaints("uploader.add(archive);").join("\n"), /not assignable/);
  });
});
