"""Events: what happens while a run goes, as typed records; `views` shows them."""
