// Shows the service's own OpenAPI description; the script of Swagger UI has put SwaggerUIBundle there before.

globalThis.SwaggerUIBundle({
  url: "docs/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null, // otherwise badges are asked of a server on the internet
});
