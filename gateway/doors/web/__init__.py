"""The pages of the web door: posts behind short links, unsubscribing, logins, media, help, health and metrics."""
