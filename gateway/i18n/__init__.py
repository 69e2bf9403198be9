"""What is said to people, in their language: phrases, language tags, and the catalogues in locales/."""
