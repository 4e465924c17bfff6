// A bucket of a real S3 store on another origin than the page, with a proxy before the store in which a test can meddle: the
// page and the gateway both go through it.

import { createHash } from "node:crypto";
import { fileFacts, makeFile, scratch } from "./files.mjs";
import { startGarage } from "./garage.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { librarySite, startProxy, startSite } from "./site.mjs";

export const BUCKET = "my-archive";

/** Rules as the documentation has them. `hides` leaves out what shows the page S3's own headers. */
export const rules = (origins, hides = false) => JSON.stringify([{
  AllowedOrigins: [origins].flat(),
  AllowedMethods: ["PUT", "GET", "HEAD"],
  AllowedHeaders: ["*"],
  ...(hides ? {} : { ExposeHeaders: ["ETag", "Content-Range", "x-amz-checksum-sha256", "x-amz-version-id"] }),
  MaxAgeSeconds: 1,
}]);

async function digest(body) {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest("hex") };
}

/** One store with one bucket, one gateway, one page, and files of some sizes. */
export class World {
  /** What is to go wrong between the page or the gateway and the store. */
  meddle = () => undefined;
  /** The same between the page and the gateway, for pages that reach it at `/v1` of their own origin. */
  meddleBefore = () => undefined;
  /** Path, SHA-256 and tree hash of each file by its size. */
  expected = new Map();

  static async open(sizes) {
    const world = new World();
    world.files = await scratch();
    for (const size of sizes) {
      const path = await makeFile(world.files.folder, `${size}.bin`, size);
      world.expected.set(size, { path, ...(await fileFacts(path)) });
    }
    world.garage = await startGarage(BUCKET);
    world.packaged = await librarySite();
    world.proxy = await startProxy(world.garage.url, (incoming) => world.meddle(incoming));
    world.site = await startSite(world.packaged.folder, {
      takes: { "/read-back": digest },
      gateway: () => world.gateway.url,
      meddle: (incoming) => world.meddleBefore(incoming),
    });
    await world.renew();
    return world;
  }

  /** Empties the bucket, and has a gateway that has not asked for its rules yet. */
  async renew() {
    await this.garage.ask("empty");
    await this.gateway?.stop();
    const store = ["--s3-endpoint", this.proxy.url, "--s3-region", "garage", "--bucket", BUCKET];
    this.gateway = await startGateway({ args: [...store, "--allow-origin", this.site.url], env: this.garage.env });
    await this.allow();
  }

  /** Lets the page in, also where it reaches the gateway through its own origin. */
  allow({ hides = false } = {}) {
    return this.garage.ask("cors", rules([this.site.url, this.gateway.url], hides));
  }

  bearer(claims = {}) {
    const usual = { vaults: [VAULT], objects: [`${BUCKET}/`], ops: ["upload", "read"] };
    return `Bearer ${this.gateway.token({ ...usual, ...claims })}`;
  }

  /** What every page of these tests is told. */
  place(claims) {
    return { endpoint: `${this.gateway.url}/v1`, bucket: BUCKET, authorization: this.bearer(claims) };
  }

  async visit(browser) {
    await browser.open(this.site.url);
    await browser.waitFor(() => document.documentElement.dataset.ready);
  }

  async close() {
    await this.site?.stop();
    await this.gateway?.stop();
    await this.packaged?.remove();
    await this.proxy?.stop();
    await this.garage?.stop();
    await this.files?.remove();
  }
}
