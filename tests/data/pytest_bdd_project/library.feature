Feature: Lending

  Background:
    Given a reader called "Ada"

  Scenario: A book is lent
    When she borrows 2 books
    Then 3 books are on the shelf
    And her card reads:
      """
      Ada: 2
      """

  Scenario Outline: A fine grows by the day
    When a book comes back <days> days late
    Then the fine is <fine> cents

    Examples:
      | days | fine |
      | 0    | 0    |
      | 3    | 60   |

  Scenario: Books are shelved by their letters
    When these books arrive:
      | title | letter |
      | Emma  | E      |
      | Dune  | D      |
    Then the first on the shelf is "Dune"

  Scenario: A mail is sent
    When a mail is written to a file
    Then it is sent

  Scenario: A loan is watched
    When the loan is watched
    Then nothing is heard of it
