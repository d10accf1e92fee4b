// Files that phones share with the installed page: share-worker.js keeps them until the page is there, which takes them.

const SHELF = "shared"; // as share-worker.js has it

/** Gives the files that wait to `add(files)`, and sees to it that later ones are kept. */
export async function takeShared(add) {
  if (!("serviceWorker" in navigator)) return; // over plain HTTP, other than to this machine
  navigator.serviceWorker.register("static/share-worker.js", { scope: "share" }).catch(() => {});
  const shelf = await caches.open(SHELF);
  const files = [];
  for (const request of await shelf.keys()) {
    const kept = await shelf.match(request);
    const name = decodeURIComponent(kept.headers.get("X-Name"));
    files.push(new File([await kept.blob()], name, { type: kept.headers.get("Content-Type") }));
    await shelf.delete(request);
  }
  add(files);
}
