/** A `WritableStream` into one archive. See `uploads.d.ts`; the sink is a class of the wasm module. */
export class ArchiveWriter extends WritableStream {
  #sink;

  constructor(sink) {
    super({
      start: (controller) => sink.start(controller),
      write: (chunk) => sink.write(chunk),
      close: () => sink.close(),
      abort: () => sink.abort(),
    });
    this.#sink = sink;
    this.upload = sink.upload;
  }

  get bytesWritten() {
    return this.#sink.bytesWritten;
  }

  get currentTreeHash() {
    return this.#sink.currentTreeHash;
  }
}
