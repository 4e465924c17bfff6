/** What every failure but a cancellation is thrown as. See `index.d.ts`. */
export class UploadError extends Error {
  constructor(message, { cause, ...details }) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, details);
  }
}

UploadError.prototype.name = "UploadError";
