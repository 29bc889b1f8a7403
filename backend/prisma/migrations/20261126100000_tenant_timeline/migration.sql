-- The timeline of a tenant reads the newest of what happened to its invoices, and what dunning did: along the time of each,
-- and no more of it than is shown.
CREATE INDEX invoices_issued_timeline_idx ON invoices (tenant_id, finalized_at, id) WHERE finalized_at IS NOT NULL;
CREATE INDEX invoices_paid_timeline_idx ON invoices (tenant_id, paid_at, id) WHERE paid_at IS NOT NULL;
CREATE INDEX invoices_voided_timeline_idx ON invoices (tenant_id, voided_at, id) WHERE voided_at IS NOT NULL;
CREATE INDEX dunning_steps_timeline_idx ON dunning_steps (tenant_id, created_at, id) WHERE kind = 'CONSEQUENCE';
