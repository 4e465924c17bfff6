// Files dropped anywhere on the page.

/**
 * Calls `onDrop({files, folders})`, where `folders` are names, and `onHover(over)` while files are held over the page.
 * Only the browser can tell a folder from a file before it is read, and only during the event itself.
 */
export function acceptDrops(onDrop, onHover) {
  let depth = 0; // enter and leave come for every element crossed
  const hover = (next) => {
    depth = Math.max(0, next);
    onHover(depth > 0);
  };
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

  addEventListener("dragenter", (event) => {
    if (carriesFiles(event)) hover(depth + 1);
  });
  addEventListener("dragleave", (event) => {
    if (carriesFiles(event)) hover(depth - 1);
  });
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    hover(0);
    onDrop(sort(event.dataTransfer));
  });
}

function sort(transfer) {
  const files = [];
  const folders = [];
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry?.();
    if (entry?.isDirectory) {
      folders.push(entry.name);
    } else {
      const file = item.getAsFile();
      if (file) files.push(file);
    }
  }
  return { files, folders };
}
