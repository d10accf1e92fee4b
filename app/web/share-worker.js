// Service worker for the address `share` alone: what a phone shares is posted there (share_target of the manifest). It is
// kept until the page asks for it, see sharing.js, since only the page knows the key to the API.

const SHELF = "shared";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.method === "POST") event.respondWith(kept(event.request));
});

async function kept(request) {
  const files = (await request.formData()).getAll("file");
  const shelf = await caches.open(SHELF);
  for (const [index, file] of files.entries()) {
    const headers = { "X-Name": encodeURIComponent(file.name), "Content-Type": file.type || "application/octet-stream" };
    await shelf.put(`${Date.now()}-${index}`, new Response(file, { headers }));
  }
  return Response.redirect(new URL("../", location), 303);
}
