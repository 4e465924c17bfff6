// The page's settings from its address, for tests and tinkering:
// `?partSize=4194304&concurrency=2&workers=1&memoryBudget=67108864&vault=photos&endpoint=/v1&description=Iceland`.

const NUMBERS = ["concurrency", "memoryBudget", "partSize", "workers"];

/** Reads `location.search`. Values are passed on as they are: the library judges them and names what is wrong. */
export function readParameters(search) {
  const query = new URLSearchParams(search);
  const options = { endpoint: query.get("endpoint") ?? "/v1" };
  for (const name of NUMBERS) {
    const text = query.get(name);
    if (text !== null) options[name] = /^\d+$/.test(text) ? Number(text) : text;
  }
  return { options, vault: query.get("vault"), description: query.get("description") ?? "" };
}
