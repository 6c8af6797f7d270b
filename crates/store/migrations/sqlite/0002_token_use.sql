-- When a token last let somebody in, to the minute; NULL when it never did.
ALTER TABLE api_tokens ADD COLUMN last_used_at INTEGER;
