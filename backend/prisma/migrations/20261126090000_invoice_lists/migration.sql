-- CreateIndex
CREATE INDEX "invoices_reason_created_at_id_idx" ON "invoices"("reason", "created_at", "id");

-- CreateIndex
CREATE INDEX "credit_notes_status_created_at_id_idx" ON "credit_notes"("status", "created_at", "id");

-- What is not settled is little beside what is paid. Row security keeps the planner from the statistics of the status: that
-- few are drafts or open it knows by the size of this index alone.
CREATE INDEX invoices_unsettled_idx ON invoices (created_at, id) INCLUDE (status) WHERE status IN ('DRAFT', 'OPEN', 'UNCOLLECTIBLE');

CREATE INDEX credit_notes_search_idx ON credit_notes
  USING gin (app.invoice_search_text(number, buyer_name, buyer_gstin) gin_trgm_ops);
