-- The figures by which queries are planned, after many people came at once. Only the owner of a table may ask for them.
CREATE FUNCTION analyze_people() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    ANALYZE accounts, addresses, follows, consent;
END $$;
